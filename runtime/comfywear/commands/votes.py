"""`comfywear votes`: list, export and delete what people pressed."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

from comfywear.comfort import SCALE
from comfywear.commands._state_folder import add_state_folder, given_folder
from comfywear.device.votes.deletions import owe
from comfywear.errors import DeviceNotRunningError, UsageError
from comfywear.feedback import Selection, VoteStore, ask
from comfywear.feedback.vote_files import FORMATS, export_votes, read_votes
from comfywear.publishing.messages.readable import clean
from comfywear.records import Vote
from comfywear.system.arguments import whole
from comfywear.system.command_line import counted
from comfywear.system.owner import become_owner

FILE_NAME = "votes.sqlite"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `votes list|export|delete`."""
    parser = commands.add_parser("votes", help="list, export and delete what people pressed")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    lists = verbs.add_parser("list", help="the newest votes, newest first; also while the device runs")
    lists.add_argument("--limit", metavar="N", type=whole(1), default=20, help="so many at most (default 20)")
    exports = verbs.add_parser("export", help="write votes with their moments to a file; also while the device runs")
    exports.add_argument("--format", choices=FORMATS, help="default: by the file's ending, else csv")
    exports.add_argument("--out", metavar="FILE", default="-", help="the file; - = standard output (default)")
    exports.add_argument("--force", action="store_true", help="write over a file that exists")
    deletes = verbs.add_parser("delete", help="delete a person's, a zone's or a period's votes for ever")
    deletes.add_argument("--yes", action="store_true", help="delete; without it, only say how many there are")
    deletions = verbs.add_parser("deletions", help="whether collectors deleted their copies of what was deleted here")
    add_state_folder(deletions)
    deletions.set_defaults(run=_deletions)
    for verb, run in ((lists, _list), (exports, _export), (deletes, _delete)):
        verb.add_argument("--from", dest="since", metavar="TIME", help="pressed at this time or later (ISO 8601)")
        verb.add_argument("--to", dest="until", metavar="TIME", help="pressed before this time")
        verb.add_argument("--zone", metavar="NAME")
        verb.add_argument("--person", metavar="ID", help="of somebody who said who they are")
        add_state_folder(verb)
        verb.set_defaults(run=run)


def _list(args: argparse.Namespace) -> int:
    for vote in islice(read_votes(given_folder(args) / FILE_NAME, _selection(args), newest_first=True), args.limit):
        print(_line(vote))
    return 0


def _line(vote: Vote) -> str:
    moment = [f"{vote.climate.air_temp_c:.1f} °C"] if vote.climate and vote.climate.air_temp_c is not None else []
    moment += [f"{vote.clothing.clo:.2f} clo"] if vote.clothing else []
    moment += [f"by {vote.person}"] if vote.person else []
    moment += ["undone"] if vote.undone else []
    when = vote.ts or "time not known"
    where = clean(f"{vote.zone}  {vote.level} {vote.words}  {vote.source}")
    return f"{when:29}  {where}  {vote.id}  {clean(', '.join(moment))}".rstrip()


def _export(args: argparse.Namespace) -> int:
    ending = Path(args.out).suffix.removeprefix(".").lower()
    if args.format is None and args.out != "-" and ending not in FORMATS:
        known = ", ".join(f".{each}" for each in FORMATS)
        raise UsageError(f"{args.out}: its name should end in {known}, or say --format")
    form = args.format or (ending if ending in FORMATS else "csv")
    count = export_votes(given_folder(args) / FILE_NAME, args.out, form, _selection(args), force=args.force)
    if args.out != "-":
        print(f"{counted(count, 'vote')} written to {args.out} ({form})")
    return 0


def _delete(args: argparse.Namespace) -> int:
    chosen = _selection(args)
    if chosen.empty():
        raise UsageError("say which votes to delete: --person, --zone, --from or --to")
    folder = become_owner(given_folder(args))
    if not args.yes:
        count = sum(1 for _ in read_votes(folder / FILE_NAME, chosen))
        print(f"{counted(count, 'vote')} would be deleted for ever; say --yes to do it")
        return 0
    request = {"zone": chosen.zone, "person": chosen.person, "since": chosen.since, "until": chosen.until}
    try:
        count = int(ask(folder, {"verb": "delete-votes", **request}, timeout_s=60.0)["deleted"])
    except DeviceNotRunningError:
        count = _delete_offline(folder, chosen)
    print(f"{counted(count, 'vote')} deleted; collectors are told (comfywear votes deletions)")
    if chosen.since or chosen.until:
        untimed = sum(1 for vote in read_votes(folder / FILE_NAME) if vote.ts is None)
        if untimed:
            print(f"{counted(untimed, 'vote')} not deleted for want of a time (the clock was not set)", file=sys.stderr)
    return 0


def _delete_offline(folder: Path, chosen: Selection) -> int:
    if not (folder / FILE_NAME).is_file():
        raise UsageError(f"{folder}: there is no store of votes; name the folder with --state-dir")
    store = VoteStore(folder / FILE_NAME, zones=(), scale_id=SCALE.id, scale_words=SCALE.words)
    try:
        ids = store.delete(chosen)
    finally:
        store.close()
    owe(folder, ids)
    return len(ids)


def _deletions(args: argparse.Namespace) -> int:
    answer = ask(given_folder(args), {"verb": "deletions"})
    if answer["owed"]:
        print(f"{counted(answer['owed'], 'vote')} of which collectors are still to be told")
    for each in answer["told"]:
        print(f"{each['ts'] or 'time not known':29}  {counted(each['votes'], 'vote')}: {each['state']}")
    return 0


def _selection(args: argparse.Namespace) -> Selection:
    chosen = Selection(args.zone, args.person, args.since, args.until)
    chosen.clause()  # a time that is none is refused now
    return chosen
