"""How guard LLMs are asked and what their answers mean: one file a family, as its documentation says. No HTTP here."""
