"""The one exception for what a user can mend."""


class CrossoverError(Exception):
    """A mistake in the input or the surroundings that the user can mend.

    The text is one sentence: the rule, the value that breaks it, where that value came from, what to do.
    The command line prints the sentence alone and exits with a status other than 0.
    """
