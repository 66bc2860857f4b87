"""The main job, from log files to marts, as anybody would type it on a running sandbox."""
