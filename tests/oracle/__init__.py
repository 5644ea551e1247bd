"""The judge: what the tables and the answers must hold after some messages.

Written from the page (the message, the version, details by log order,
counters, days, boards, reasons) and from nothing of the C; standard library
only.  It is slow and simple on purpose: dictionaries, one rule a function.

    json_text    the object in a record's bytes, or why there is none
    grammar      a message, or all that is wrong with it
    state        winners, details, counters, days after any messages
    board        places, ties
    source       messages of files and of a topic
    database     what a database holds, in the same words
    api          what the API answers
    answer       one answer to any question
    asks         which questions compare has
    differ       where the two are not alike
    compare      the command that does it all
"""

from .database import Found, read
from .differ import Difference, differences
from .grammar import (Bad, Event, Group, Member, Rsvp, Venue, parse, version)
from .question import Question, history
from .source import Away, Record, lines_of, records_of_lines, records_of_topic
from .state import State, state_of, state_of_file
from .window import Window

__all__ = ["Away", "Bad", "Difference", "Event", "Found", "Group", "Member",
           "Question", "Record", "Rsvp", "State", "Venue", "Window",
           "differences", "history", "lines_of", "parse", "read",
           "records_of_lines", "records_of_topic", "state_of",
           "state_of_file", "version"]
