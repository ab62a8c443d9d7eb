"""What models of words must show, measured on labelled sets that somebody has, by cross-validation inside them."""
