"""What one writes in an afternoon, to compare with: a Celery task a request, one model a check, plain Presidio.

Django views on threads wait for a task's result; workers run a Hugging Face text-classification pipeline for
moderation of the output, another for injections in the prompt, and Presidio as it comes. The models have the
architecture and the encoder weights of our guard model, and a head of random numbers.
"""
