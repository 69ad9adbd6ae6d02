"""The depth study: how far each rule carries the error down."""
