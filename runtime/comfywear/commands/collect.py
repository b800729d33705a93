"""`comfywear collect`: stores what all devices say, asks for what is missing, and confirms what is stored."""

from __future__ import annotations

import argparse
import logging
import signal
from functools import partial
from pathlib import Path

from comfywear.collect import AckPace, Collector, Options, RolloutPlace, open_store
from comfywear.commands.listen import broker_place
from comfywear.errors import UsageError
from comfywear.publishing import BrokerSettings
from comfywear.system.arguments import number, seconds
from comfywear.system.log import begin_log
from comfywear.system.signal_event import SignalEvent

_DAY_S = 86400
# A broker counts the session's seconds in 32 bits.
_MOST_DAYS = 49_710


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `collect`."""
    parser = commands.add_parser("collect", help="store what all devices say, and confirm it to them (docs/collect.md)")
    parser.add_argument(
        "--db", metavar="FILE|URL", required=True, help="an SQLite file, or postgresql://user@host/database"
    )
    parser.add_argument("--broker", metavar="HOST[:PORT]", default="127.0.0.1", help="default 127.0.0.1:1883")
    parser.add_argument("--username", default="", help="for the broker")
    parser.add_argument("--password-file", metavar="FILE", default="", help="holds the broker's password alone")
    parser.add_argument("--tls", action="store_true", help="encrypt, and verify the broker's certificate")
    parser.add_argument("--ca-file", metavar="FILE", default="", help="the authority's certificate (default: system)")
    parser.add_argument(
        "--client-cert", metavar="FILE", default="", help="our certificate, for a broker that wants one"
    )
    parser.add_argument("--client-key", metavar="FILE", default="", help="its key (default: in the same file)")
    parser.add_argument(
        "--name", default="collect", help="this consumer, as in the devices' mqtt.confirm_by (default collect)"
    )
    parser.add_argument("--site", action="append", default=[], help="only this site; may be given again")
    parser.add_argument(
        "--share", metavar="GROUP", default="", help="share the messages with the other collectors of GROUP"
    )
    parser.add_argument("--instance", default="", help="tells collectors of a group apart (default: the host's name)")
    parser.add_argument(
        "--ack-every",
        metavar="S",
        type=seconds,
        default=5.0,
        help="a device is answered at most this often (default 5)",
    )
    parser.add_argument(
        "--session-days",
        metavar="D",
        type=number(0.0, _MOST_DAYS, above=True),
        default=7.0,
        help="the broker keeps messages so long (default 7)",
    )
    parser.add_argument(
        "--progress",
        metavar="S",
        type=number(0.0, 1e6),
        default=60.0,
        help="a line about it every S seconds; 0 = never",
    )
    parser.add_argument(
        "--rollouts", metavar="FOLDER", type=Path, help="stop roll-outs in this repository of models (docs/updates.md)"
    )
    parser.add_argument(
        "--rollout-keys", metavar="FOLDER", type=Path, help="the keys of its roles rollouts, snapshot and timestamp"
    )
    parser.add_argument(
        "--halt-above",
        metavar="SHARE",
        type=number(0.0, 1.0),
        default=0.1,
        help="stop when more of the devices that took a release rolled it back, 0…1 (default 0.1)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Collect until SIGTERM or Ctrl-C; returns 0 after an orderly stop."""
    begin_log(logging.INFO, "%(asctime)s %(levelname)s %(message)s")
    if args.share and not args.db.partition("://")[1]:
        raise UsageError("--share needs one database for all collectors: give --db postgresql://…")
    for option in ("ca_file", "client_cert", "client_key"):
        if getattr(args, option) and not args.tls:
            raise UsageError(f"--{option.replace('_', '-')} is for an encrypted connection: give --tls too")
    if (args.rollouts is None) != (args.rollout_keys is None):
        raise UsageError("--rollouts and --rollout-keys go together: the repository, and the keys that stop in it")
    host, port = broker_place(args.broker)
    broker = BrokerSettings(
        host=host,
        port=port,
        username=args.username,
        password_file=args.password_file,
        tls=args.tls,
        ca_file=args.ca_file,
        client_cert=args.client_cert,
        client_key=args.client_key,
    )
    pace = AckPace(ack_every_s=args.ack_every, grace_s=2 * args.ack_every, ask_again_s=6 * args.ack_every)
    options = Options(
        name=args.name,
        sites=tuple(args.site),
        group=args.share,
        instance=args.instance,
        session_s=int(args.session_days * _DAY_S),
        progress_s=args.progress,
        pace=pace,
        rollouts=RolloutPlace(args.rollouts, args.rollout_keys, args.halt_above) if args.rollouts else None,
    )
    stop = SignalEvent()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    Collector(broker, partial(open_store, args.db, pace), options).run(stop)
    return 0
