"""A consumer and producer made of the public pynsq, for Spillway's interoperability tests.

Each scenario checks what it receives by itself and prints one JSON object as its last line; the test that started it
compares the counts in there with its plan and with the broker's own. Where the test has something to do in the middle,
the line "connected" comes before. A failure goes to standard error, with exit status 1.
"""

import argparse
import asyncio
import json
import logging
import ssl
import time

import nsq
import tornado.httpclient

from plan import REQUEUE_DELAY_MS, Ledger, body_of, fate_of

MESSAGES_PER_MPUB = 500
PROBE_INTERVAL_S = 0.01


class Failure(Exception):
    """The broker or the client did something that it must not."""


class Run:
    """The arguments of a scenario and the one place where its end or its first failure is told."""

    def __init__(self, args):
        self.args = args
        self.failed = asyncio.get_running_loop().create_future()

    def fail(self, error):
        if not self.failed.done():
            self.failed.set_exception(error)

    async def wait(self, event, what):
        """Waits for an asyncio.Event, a failure or the limit."""
        waiting = asyncio.ensure_future(event.wait())
        done, _ = await asyncio.wait(
            {waiting, self.failed}, timeout=self.args.limit_ms / 1000, return_when=asyncio.FIRST_COMPLETED
        )
        if self.failed in done:
            self.failed.result()
        if waiting not in done:
            waiting.cancel()
            raise Failure(f"{what}: not within {self.args.limit_ms} ms")

    async def until(self, condition, what):
        """Waits for what pynsq has no event for."""
        end = time.monotonic() + self.args.limit_ms / 1000
        while not condition():
            if time.monotonic() > end:
                raise Failure(f"{what}: not within {self.args.limit_ms} ms")
            await asyncio.sleep(PROBE_INTERVAL_S)

    async def drained(self):
        """Waits until the broker knows that the only consumer wants nothing, and has nothing in flight."""
        await self.until_channel(lambda channel: channel["clients"][0]["ready_count"] == 0, "drained")

    async def settled(self):
        """Waits until the broker knows that nothing is left: pynsq loses what it has not sent when it is closed."""
        await self.until_channel(lambda channel: channel["depth"] + channel["deferred_count"] == 0, "settled")

    async def until_channel(self, condition, what):
        """Waits until the only channel has nothing in flight and is as it should be."""
        url = f"http://{self.args.http_address}/stats?format=json&topic={self.args.topic}"
        end = time.monotonic() + self.args.limit_ms / 1000
        while time.monotonic() < end:
            response = await tornado.httpclient.AsyncHTTPClient().fetch(url)
            (channel,) = json.loads(response.body)["topics"][0]["channels"]
            if channel["in_flight_count"] == 0 and condition(channel):
                return
        raise Failure(f"not {what} within {self.args.limit_ms} ms")

    async def open_reader(self, channel, max_in_flight, handle):
        """A subscribed reader; `handle` takes the message and answers it itself."""

        def guarded(message):
            message.enable_async()
            try:
                handle(message)
            except Exception as error:  # pynsq would log it and go on
                self.fail(error)

        reader = nsq.Reader(
            topic=self.args.topic,
            channel=channel,
            message_handler=guarded,
            nsqd_tcp_addresses=[self.args.tcp_address],
            max_in_flight=max_in_flight,
            msg_timeout=self.args.msg_timeout_ms / 1000,
            **self.stream_options(),
        )
        await self.until(lambda: reader.conns, "a connection of the reader")
        return reader

    def stream_options(self):
        """What readers and writers have in common."""
        return {
            "tls_v1": self.args.tls,
            "tls_options": {"cert_reqs": ssl.CERT_NONE} if self.args.tls else None,
            "deflate": self.args.compression == "deflate",
            "snappy": self.args.compression == "snappy",
            "auth_secret": self.args.auth_secret or None,
        }

    async def publish_all(self):
        """Publishes messages 0 to messages - 1 in order, a batch after the other."""
        writer = nsq.Writer([self.args.tcp_address], **self.stream_options())
        await self.until(lambda: writer.conns, "a connection of the writer")
        for first in range(0, self.args.messages, MESSAGES_PER_MPUB):
            last = min(first + MESSAGES_PER_MPUB, self.args.messages)
            answered, answers = asyncio.Event(), []

            def on_answer(_connection, data, answered=answered, answers=answers):
                answers.append(data)
                answered.set()

            writer.mpub(self.args.topic, [body_of(serial).encode() for serial in range(first, last)], on_answer)
            await self.wait(answered, "the answer to MPUB")
            if answers != [b"OK"]:
                raise Failure(f"MPUB was answered {answers}")
        close(writer)


def close(client):
    """Closes every connection of a reader or writer."""
    for connection in list(client.conns.values()):
        connection.close()


async def hello(run):
    """Takes one message that somebody else has published."""
    received, result = asyncio.Event(), {}

    def handle(message):
        result.update(body=message.body.decode(), attempts=message.attempts)
        message.finish()
        received.set()

    reader = await run.open_reader(run.args.channel, 1, handle)
    await run.wait(received, "the message")
    await run.settled()
    close(reader)
    return result


async def round_trip(run):
    """Publishes and consumes at once.

    What the plan says is requeued or left alone on its first delivery, and a first delivery that timed out is finished
    late, which the broker must refuse without closing the connection.
    """
    ledger, let_go, requeued, complete = Ledger(run.args.messages), {}, 0, asyncio.Event()

    def handle(message):
        nonlocal requeued
        serial = ledger.deliver(message.body, message.attempts)
        fate = fate_of(serial) if message.attempts == 1 else "finish"
        if fate == "requeue now":
            requeued += 1
            message.requeue(backoff=False, time_ms=0)
        elif fate == "requeue later":
            requeued += 1
            message.requeue(backoff=False, time_ms=REQUEUE_DELAY_MS)
        elif fate == "let time out":
            let_go[serial] = message
        else:
            ledger.finish(serial)
            message.finish()
            if serial in let_go:
                let_go[serial].finish()
            if ledger.is_complete():
                complete.set()

    reader = await run.open_reader(run.args.channel, 500, handle)
    await run.publish_all()
    await run.wait(complete, "every message finished")
    await run.settled()
    if not reader.conns:
        raise Failure("the reader lost its connection")
    close(reader)
    return {"finished": ledger.finished_count, "requeued": requeued, "timedOut": len(let_go)}


async def sharing(run):
    """Has three consumers on one channel and one on another; the test publishes when the broker knows them all."""
    shared, copied, complete = Ledger(run.args.messages), Ledger(run.args.messages), asyncio.Event()
    counts = [0, 0, 0, 0]

    def open_reader(index, channel, ledger):
        def handle(message):
            ledger.finish(ledger.deliver(message.body, message.attempts))
            counts[index] += 1
            message.finish()
            if shared.is_complete() and copied.is_complete():
                complete.set()

        return run.open_reader(channel, 20, handle)

    readers = [await open_reader(index, "shared", shared) for index in range(3)]
    readers.append(await open_reader(3, "copy", copied))
    print("connected", flush=True)
    await run.wait(complete, "every message on both channels")
    for reader in readers:
        close(reader)
    return {"counts": counts}


async def handover(run):
    """Stops a consumer in the middle of a backlog; a second one must get exactly the rest."""
    stop_after = 1000
    ledger, early, complete = Ledger(run.args.messages), asyncio.Event(), asyncio.Event()

    def handle(message):
        ledger.finish(ledger.deliver(message.body, message.attempts))
        message.finish()
        if ledger.finished_count == stop_after:
            # pynsq has no CLS: it is asked to want nothing more, and closed when the broker has stopped sending.
            first.set_max_in_flight(0)
            early.set()
        if ledger.is_complete():
            complete.set()

    await run.publish_all()
    first = await run.open_reader(run.args.channel, 10, handle)
    await run.wait(early, "the first messages")
    await run.drained()
    close(first)
    finished_by_first = ledger.finished_count

    second = await run.open_reader(run.args.channel, 100, handle)
    await run.wait(complete, "the rest")
    close(second)
    return {"byFirst": finished_by_first, "finished": ledger.finished_count}


async def outlive(run):
    """Consumes until the broker ends the connection."""
    reader = await run.open_reader(run.args.channel, 1, lambda message: message.finish())
    print("connected", flush=True)
    await run.until(lambda: not reader.conns, "the end of the connection")
    return {"disconnected": True}


async def cluster(run):
    """Prints the body of every message that the brokers have which nsqlookupd names, until it is killed."""

    def handle(message):
        print(message.body.decode(), flush=True)
        return True

    nsq.Reader(
        topic=run.args.topic,
        channel=run.args.channel,
        message_handler=handle,
        lookupd_http_addresses=[run.args.lookupd_http_address],
        lookupd_poll_interval=1,
        lookupd_poll_jitter=0.0,
        max_in_flight=100,
        max_tries=1_000,
    )
    print("connected", flush=True)
    await asyncio.Event().wait()


SCENARIOS = {
    "hello": hello,
    "round-trip": round_trip,
    "sharing": sharing,
    "handover": handover,
    "outlive": outlive,
    "cluster": cluster,
}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenario", choices=SCENARIOS, required=True)
    parser.add_argument("--tcp-address", required=True)
    parser.add_argument("--http-address", required=True)
    parser.add_argument("--lookupd-http-address", default="")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--channel", required=True)
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--msg-timeout-ms", type=int, default=60_000)
    parser.add_argument("--limit-ms", type=int, default=60_000)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--compression", choices=["none", "deflate", "snappy"], default="none")
    parser.add_argument("--auth-secret", default="")
    args = parser.parse_args()
    # pynsq logs the refusals of the late finishes, which are expected, and every connection that ends.
    logging.getLogger("nsq").setLevel(logging.CRITICAL)
    result = await SCENARIOS[args.scenario](Run(args))
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
