"""What the larger rules of the family take for evidence."""
