"""The service: reports, commands and questions over HTTP, and who may send them."""
