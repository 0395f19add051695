"""Everything around the application: its template, its package, and the local AWS that it runs on."""
