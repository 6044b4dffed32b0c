"""What every page shares: rendering, forms, CSRF, cookies, headers, limits, the design kit."""
