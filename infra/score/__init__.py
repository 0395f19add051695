"""`make score`: a file of purchases scored without any AWS."""
