"""What one writes in an afternoon, to compare with: a Celery task a request, one model a check, plain Presidio.

Django views on threads wait for a task's result and store a row. Workers, one process a core with one torch thread,
read each text with Hugging Face pipelines: text classification for moderation of the output, another for injections in
the prompt, token classification for names in the output. Presidio as it comes, over a blank spaCy model, adds what its
patterns find there. The models have the architecture and the encoder weights of our guard model, and heads of random
numbers; that for names is made to find next to nothing, so that no time goes into what is found.

These are the checks of the policy that `bench.app.naming_app` gives our app, but for its rule for secrets. The naive
app reads the first 512 word pieces of each text and lets the rest pass unread. It has no deadlines, batches, policies,
review, audit log, keys or limits. With NAIVE_MODELS_FAKED in the environment the models find nothing at once.
"""
