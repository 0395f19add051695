"""The local AWS: starts it, deploys the packaged template onto it, brings in real purchases, and serves them."""
