"""Publishes a signal on this machine: `python outlet.py NAME FORMAT RATE_HZ SECONDS`."""

import sys
import time

import pylsl

name, form, rate_hz, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
info = pylsl.StreamInfo(name, "test", 2, rate_hz, form, f"test-{name}")
info.set_channel_labels(["first", "second"])
info.set_channel_units(["microvolts", "none"])
outlet = pylsl.StreamOutlet(info)
outlet.wait_for_consumers(30)
begun, sample = time.monotonic(), 0
while (now := time.monotonic() - begun) < seconds:
    while sample < now * (rate_hz or 5):
        values = [f"käse {sample}", ""] if form == "string" else [sample, -sample]
        outlet.push_sample(values)
        sample += 1
    time.sleep(0.01)
sys.stdout.write(f"{sample}\n")
sys.stdout.flush()
time.sleep(1.5)
