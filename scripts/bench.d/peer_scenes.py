"""PySceneDetect as its documentation shows it; prints the first frames of the scenes it finds."""

import argparse
import json
import time

from scenedetect import AdaptiveDetector, ContentDetector, detect

DETECTORS = {"content": ContentDetector, "adaptive": AdaptiveDetector}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("--detector", choices=DETECTORS, default="content")
options = parser.parse_args()

began, cpu = time.monotonic(), time.process_time()
scenes = detect(options.video, DETECTORS[options.detector]())
wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu
print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "cuts": [start.frame_num for start, _ in scenes[1:]]}))
