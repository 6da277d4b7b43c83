"""What things are called: tags to roles, hyperparameter names to knobs."""
