/** The help of each command; `''` is that of `spillway` itself. */
export const HELP: Readonly<Record<string, string>> = {
  '': `spillway: an NSQ-compatible message broker

Usage: spillway <command> [options]

Commands:
  start        run the broker until SIGINT or SIGTERM
  check        say whether a configuration can be started, without opening anything
  doctor       say what is in the data path of a stopped broker and what is damaged; repair it
  import       take over the data path of a stopped nsqd
  hash-secret  print what a configuration holds of a secret
  help         show this, or the help of a command

Options:
  -h, --help  show this, or the help of a command
  --version   show the versions of Spillway, of the NSQ that it is compatible with, and of Node.js

Examples:
  spillway start                              run with everything at its default, messages in ./data
  spillway start --config spillway.json       run what the file says
  spillway start --nodes 3                    three brokers on ports 4150, 4250, 4350, and 4151, 4251, 4351 for HTTP
  spillway check --config spillway.json       find every mistake in the file
  spillway doctor ./data                      topics, channels, depths, sizes and damage
  spillway help start                         all options of start
  spillway --version --json                   versions for scripts

Once it runs:
  curl -d 'hello' 'http://127.0.0.1:4151/pub?topic=test'

There is also nsqd, the same broker with the flags of NSQ's nsqd: see nsqd --help.
`,
  start: `spillway start: run the broker until SIGINT or SIGTERM

Usage: spillway start [--config FILE] [--nodes N] [options]

Options:
  -c, --config FILE     JSON configuration; without it: messages in ./data, V2 on 0.0.0.0:4150, HTTP on 0.0.0.0:4151
  --nodes N             run N brokers, each a process of its own, and start one that dies again (1 to 64)
  --port-step N         with --nodes: how far the ports of one are from those of the next (100)
  --check               only check the configuration, as spillway check does
  --log-level LEVEL     debug, info, warn, error or fatal; without it: node.logLevel of the configuration
  --log-format FORMAT   json or text; without it: text on a terminal, otherwise json

Log lines go to standard error. The first signal stops in order: listeners, clients, topics, storage. A second one exits at once.
Exit code: 0 stopped by a signal, 1 cannot start or stop properly, 2 wrong usage.

With --nodes, all run the same configuration but for this: node i has every port plus (i - 1) times the step (port 0 stays 0), keeps
its data in node-i of the data path, and has its name in absolute paths of Unix sockets. Where node.memorySizeBytesMax is not set,
they share the memory that one would take. Lines of the log have the node's name in front, or as the field "node". A node that dies
is started again after 0.1 s, and later each time, up to 10 s; one that cannot even start the first time ends them all with 1. SIGHUP
goes to all. spillway check --nodes N says what each would get.

Examples:
  spillway start
  spillway start --nodes 3 --config spillway.json
  spillway start --config /etc/spillway.json --log-format=json
  TCP_PORT=4250 spillway start --config spillway.json      with "address": "127.0.0.1:\${TCP_PORT:-4150}" in the file
`,
  check: `spillway check: say whether a configuration can be started, without opening anything

Usage: spillway check [--config FILE] [--nodes N] [--files] [--json]

Options:
  -c, --config FILE     JSON configuration; without it: the embedded default
  --nodes N             for spillway start --nodes N: also print the addresses and the data path of each node
  --port-step N         with --nodes, as start has it
  --files               also read the files that it names: certificates, keys, and whether they belong together and are valid
  --json                the result as one JSON object on standard output

Every mistake is one line on standard error: file, place (a JSON pointer), what is there, what may be there.
Exit code: 0 it can be started, 1 it cannot, 2 wrong usage.

Examples:
  spillway check --config spillway.json
  spillway check --config spillway.json --files            as the user that the broker runs as
  spillway check --config spillway.json --nodes 3
  spillway check --config spillway.json --json | jq '.problems[].pointer'
`,
  doctor: `spillway doctor: say what is in the data path of a stopped broker and what is damaged; repair it

Usage: spillway doctor DATA_PATH [--repair] [--json]

Options:
  --repair              salvage what can be, and say exactly what was given up
  --json                the result as one JSON object on standard output

Every stored message is read and its checksum compared, so it takes as long as reading the disk does. Without --repair nothing
is changed. DATA_PATH is node.dataPath of the configuration (nsqd: --data-path); it must hold RocksDB storage.

--repair keeps whatever can be read. Damaged bytes of the journal are passed over; messages that cannot be read become a gap,
so that the broker delivers what lies behind them; an index entry is made again from its messages; a channel whose cursor
cannot be read gets everything again. Copy DATA_PATH first if you can: what was given up is gone.

Exit code: 0 all is well (with --repair: now), 1 something is damaged, 2 cannot look: a broker is running, or nothing is there.

Examples:
  spillway doctor /var/lib/spillway
  spillway doctor /var/lib/spillway --json | jq '.topics[] | select(.depth > 0)'
  cp -a /var/lib/spillway /backup && spillway doctor /var/lib/spillway --repair
`,
  import: `spillway import: take over the data path of a stopped nsqd

Usage: spillway import NSQD_DATA_PATH [--config FILE] [--max-msg-size BYTES] [--json]

Options:
  -c, --config FILE     where to: its storage, which must be empty; without it: messages in ./data
  --max-msg-size BYTES  what nsqd had, where it was larger than node.msgSizeBytesMax of the configuration:
                        larger messages count as damage
  --json                the result as one JSON object on standard output

Topics, channels, whether they are paused, and every message in their disk queues, each queue in its order, with
its time and its attempts. It is all there at the end, or nothing is: killed in the middle, it begins anew the next
time. nsqd's files stay as they are; there has to be room for about as much again.

The nsqd command does the same by itself when it is started on such a data path, and moves the old files into
nsqd-imported-TIME/ when it is done.

Exit code: 0 all is there, 1 something is missing or could not be read (it says what), 2 nothing was done.

Examples:
  spillway import /var/lib/nsqd --config /etc/spillway.json
  spillway import /var/lib/nsqd --json | jq '.topics[] | {name, messageCount}'
`,
  'hash-secret': `spillway hash-secret: print what a configuration holds of a secret

Usage: spillway hash-secret < FILE

Reads the secret from standard input, so that it is in no list of processes; a line end behind it does not count. What it prints goes
into "secretHash" of a user of @spillway/auth-static. The same secret gives another hash each time.
Exit code: 0, or 1 when there is no secret.

Examples:
  echo -n 'open sesame' | spillway hash-secret
  read -rs SECRET && echo -n "$SECRET" | spillway hash-secret      asks for it
`,
}
