"""Which network this is: a cluster's CNI DaemonSets, their settings and resources, read as they do.

Pure: decoded objects in, a Detection out. `survey` keeps what matters of all objects, `identify`
names a DaemonSet's add-on, `rules` read how it moves packets, `network` draws the conclusion.
"""

from webhook.detect.model import Detection
from webhook.detect.survey import Survey, detect

__all__ = ["Detection", "Survey", "detect"]
