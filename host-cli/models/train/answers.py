"""The answer that training puts behind a prompt: what the task's text is naturally continued by."""


def answer(task, prompt, outputs):
    """`task` by RULER's name, `outputs` its references; begins with a space.

    References are a set where the score is concerned. Where the prompt does not order them (as it does the
    keys asked for, a chain, or words by their counts), they are given in the order of their first appearance.
    """
    if task.startswith("qa"):
        return f" {outputs[0]}"
    if task == "vt":
        return " " + " ".join(outputs)
    if task in ("cwe", "niah_multivalue"):
        outputs = sorted(outputs, key=prompt.index)
    if task == "cwe":
        return "".join(f" {place}. {word}" for place, word in enumerate(outputs, 1))
    return f" {listed(outputs)}."


def listed(items):
    """`a`, or `a, b, and c`, as the needle tasks list their keys."""
    *others, last = items
    return ", ".join([*others, f"and {last}"]) if others else last
