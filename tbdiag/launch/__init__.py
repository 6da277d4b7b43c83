"""Where follow-up runs are started, watched and ended."""
