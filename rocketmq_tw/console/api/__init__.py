"""The requests that the page makes, and that programs may make too: JSON over HTTP."""
