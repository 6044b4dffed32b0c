"""eConnector: the bridge between a dental practice and the web."""
