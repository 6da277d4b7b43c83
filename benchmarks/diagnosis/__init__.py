"""How often the diagnosis is right: on labelled runs, beside other tools, with honest intervals."""
