"""How the one model pass runs. Modules here are imported by `workers.model.load_model` only when they are asked for."""
