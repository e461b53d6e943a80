#!/usr/bin/env bash
# ClusterFuzzLite builds what OSS-Fuzz builds.
set -euo pipefail
exec bash "$SRC/mqtt-assay/fuzz/oss-fuzz/build.sh"
