"""The telephone in a browser: WebRTC on one side, the frames of a media stream on the other."""
