"""The JSON API: requests in, bodies out; what they mean is decided below."""
