"""What is published and what becomes of each message on its first delivery.

The same numbers as in message-plan.ts: the test counts with them what this program must report.
"""

PLAN_SEED = 20_260_101
REQUEUE_DELAY_MS = 50
FILLER = "abcdefghijklmnopqrstuvwxyz" * 8
FILLER_LENGTHS = 181
MASK_32 = 0xFFFFFFFF


def body_of(serial):
    """The serial number and then 0 to 180 letters that depend on it."""
    start = serial % 26
    return f"{serial} {FILLER[start:start + serial % FILLER_LENGTHS]}"


def fate_of(serial):
    """One of "finish", "requeue now", "requeue later" and "let time out"."""
    mixed = ((serial ^ PLAN_SEED) * 2_654_435_761) & MASK_32
    share = (mixed ^ (mixed >> 15)) % 1000
    if share < 2:
        return "let time out"
    if share < 12:
        return "requeue now"
    if share < 22:
        return "requeue later"
    return "finish"


class Ledger:
    """Holds every delivery against what was published: nothing foreign, torn, twice or lost."""

    def __init__(self, message_count):
        self.deliveries = [0] * message_count
        self.finished = bytearray(message_count)
        self.finished_count = 0

    def is_complete(self):
        return self.finished_count == len(self.finished)

    def deliver(self, body, attempts):
        """Notes a delivery and returns the serial number; raises when body or attempts are not what they must be."""
        text = body.decode("latin-1")
        serial = int(text.split(" ", 1)[0])
        if not 0 <= serial < len(self.finished) or text != body_of(serial):
            raise AssertionError(f"a body that nobody published: {text}")
        if self.finished[serial]:
            raise AssertionError(f"message {serial} came again after it was finished")
        self.deliveries[serial] += 1
        if attempts != self.deliveries[serial]:
            raise AssertionError(f"message {serial} has attempts {attempts} on delivery {self.deliveries[serial]}")
        return serial

    def finish(self, serial):
        self.finished[serial] = 1
        self.finished_count += 1
