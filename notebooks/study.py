# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a folder of sessions to a figure and a mixed model
#
# Eight persons heard two pieces of music each, six seconds of both. What was expressed while the
# lively one was played, by face and music together, and how does that differ from the sad one?
#
# The sessions are pieces of the recording that comes with Affetti: one face, played anew for each
# person from another moment on. So the numbers below say nothing about anybody. They show how a
# study is read, and yours is read in the same way: leave out the next cell, and name your folder.
# `make notebook` runs all of this.

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import statsmodels.formula.api as smf
from matplotlib import pyplot as plt

import affetti
from affetti.sample_sessions.pieces import piece

place = Path(tempfile.mkdtemp(prefix="affetti-notebook-"))
study = place / "study"
study.mkdir()
begins_s = {"sadness": 1.0, "happiness": 20.9}  # of each piece of music, in the recording
design = [
    (f"P{i + 1:02d}-{condition}", condition, f"P{i + 1:02d}", begin_s + 1.5 * i)
    for i in range(8)
    for condition, begin_s in begins_s.items()
]
for name, _, person, start_s in design:
    piece(study / f"{name}.h5", person, start_s, start_s + 6)
pd.DataFrame([each[:2] for each in design], columns=["session", "condition"]).to_csv(
    place / "design.csv", index=False
)

# %% [markdown]
# ## One session
#
# A recording is one object, and what is in it are its attributes. Nothing is read before it is
# asked for.

# %%
with affetti.open(study / "P01-happiness.h5") as session:
    print(session)
    print(session.frames)
    print([track.title for track in session.tracks])

# %% [markdown]
# The estimates that were made live are tables, with units in their attributes. The bundled
# recording has them (its pieces do not: they begin in the middle, and what came before decides).

# %%
from affetti.sample_sessions.pieces import SAMPLE  # noqa: E402

with affetti.open(SAMPLE) as session:
    music = session.estimates.music.to_pandas()
print(music.attrs["units"]["tempo_bpm"])
music[["t_s", "happiness", "sadness", "tempo_bpm"]].head()

# %% [markdown]
# ## All sessions
#
# `affetti group` analyzes what was not analyzed yet, and writes long tables with a dictionary of
# every column. In a terminal: `affetti group study/ --design design.csv --by condition`. What was
# left out, of whom and why, stands in `excluded.csv`. Look at it first.

# %%
command = [sys.executable, "-m", "affetti", "group", study, "--design", place / "design.csv"]
subprocess.run([*command, "--by", "condition", "--output", place / "group"], check=True)
pd.read_csv(place / "group" / "excluded.csv")

# %% [markdown]
# Half of the faces are left out: the woman in the film hides her face, and of a track in which a
# face was seen for less than half of the time nothing is said of the face. The fused estimates are
# there all the same; where the face is missing, the music alone decided. That is a choice, and a
# paper has to state it: `methods.md` beside the tables has a paragraph for that.

# %%
emotions = pd.read_csv(place / "group" / "track_emotions.csv")
fused = emotions.query("modality == 'fused' and emotion == 'happiness'")
fused.pivot(index="person", columns="condition", values="probability").round(3)

# %% [markdown]
# ## A figure
#
# A line a person: the change within them, which a mean over all would hide.

# %%
figure, axes = plt.subplots(figsize=(4, 3.2), layout="constrained")
for _, row in fused.pivot(index="person", columns="condition", values="probability").iterrows():
    axes.plot([0, 1], row[["sadness", "happiness"]], color="0.6", marker="o", markersize=3)
means = fused.groupby("condition")["probability"].mean()
axes.plot([0, 1], means[["sadness", "happiness"]], color="black", marker="o", linewidth=2)
axes.set_xticks([0, 1], ["sad piece", "lively piece"])
axes.set(xlim=(-0.3, 1.3), ylim=(0, 1), ylabel="expressed happiness\n(mean probability, fused)")
figure.savefig(place / "within.svg")

# %% [markdown]
# ## A mixed model
#
# Each person was measured twice, so the measures of a person are alike. A random intercept for the
# person says so: `probability ~ condition + (1 | person)`, by restricted maximum likelihood.

# %%
fitted = smf.mixedlm("probability ~ condition", fused, groups=fused["person"]).fit(reml=True)
result = pd.DataFrame({"estimate": fitted.fe_params, "standard error": fitted.bse_fe})
result.round(4)

# %%
between, within = float(fitted.cov_re.iloc[0, 0]), float(fitted.scale)
print(f"variance between persons {between:.5f}, within {within:.5f}")
print(f"intraclass correlation {between / (between + within):.2f}")

# %% [markdown]
# Is that what others would find? These are the sixteen numbers as they were when this was written.
# R's lme4 (1.1-31, R 4.2.2) says of them, by `lmer(probability ~ condition + (1 | person))`:
# intercept 0.8062 (standard error 0.0656), sad piece -0.4772 (0.0228), variance between persons
# 0.0324 and within 0.00207. statsmodels says the same to three digits, or the next cell fails.

# %%
lively = [0.644232, 0.56862, 0.614969, 0.918265, 0.92896, 0.920035, 0.915448, 0.938934]
sad = [0.072049, 0.068176, 0.131489, 0.3536, 0.494323, 0.494529, 0.509815, 0.507866]
written = pd.DataFrame(
    {
        "probability": lively + sad,
        "condition": ["happiness"] * 8 + ["sadness"] * 8,
        "person": [f"P{i + 1:02d}" for i in range(8)] * 2,
    }
)
again = smf.mixedlm("probability ~ condition", written, groups=written["person"]).fit(reml=True)
found = [*again.fe_params, *again.bse_fe, float(again.cov_re.iloc[0, 0]), float(again.scale)]
by_lme4 = [0.80618, -0.47720, 0.065634, 0.022751, 0.032392, 0.0020704]
assert all(abs(ours / theirs - 1) < 1e-3 for ours, theirs in zip(found, by_lme4, strict=True))

# %% [markdown]
# Do the assumptions hold? With sixteen numbers that can hardly be said. With yours, look whether
# the residuals spread evenly and whether a few persons decide the result.

# %%
figure, axes = plt.subplots(figsize=(4, 3), layout="constrained")
axes.axhline(0, color="0.8")
axes.plot(fitted.fittedvalues, fitted.resid, "o", color="black", markersize=3)
axes.set(xlabel="fitted probability", ylabel="residual")

# %% [markdown]
# A probability is bounded by 0 and 1, and near its bounds a linear model misleads: the logarithm
# of the odds is then the better measure. Whoever compares several emotions corrects for it, by
# `statsmodels.stats.multitest.multipletests(p, method="holm")` say.
#
# Four hundred sessions take the same cells: `affetti group study/ --cluster` works on several
# computers (see the README), and what was done once is not done again.
