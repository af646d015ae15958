"""The names that Kubernetes allows (RFC 1123, RFC 1035, qualified names)."""

from __future__ import annotations

import re

LABEL = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
SUBDOMAIN = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
OLD_LABEL = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
QUALIFIED = re.compile(r"^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")
VALUE = re.compile(r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
VARIABLE = re.compile(r"^[\x20-\x3c\x3e-\x7e]+$")
LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253

SUBDOMAIN_WRONG = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_WRONG = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
OLD_LABEL_WRONG = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
QUALIFIED_WRONG = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE_WRONG = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
    "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def too_long(length: int) -> str:
    """More than a number of characters."""
    return f"must be no more than {length} characters"


def wrong_subdomain(name: str) -> list[str]:
    """What is wrong with the name of most objects."""
    found = [too_long(SUBDOMAIN_LENGTH)] if len(name) > SUBDOMAIN_LENGTH else []
    return found if SUBDOMAIN.match(name) else [*found, SUBDOMAIN_WRONG]


def wrong_label(name: str) -> list[str]:
    """What is wrong with the name of a namespace, container or volume."""
    found = [too_long(LABEL_LENGTH)] if len(name) > LABEL_LENGTH else []
    return found if LABEL.match(name) else [*found, LABEL_WRONG]


def wrong_service(name: str) -> list[str]:
    """What is wrong with the name of a service."""
    found = [too_long(LABEL_LENGTH)] if len(name) > LABEL_LENGTH else []
    return found if OLD_LABEL.match(name) else [*found, OLD_LABEL_WRONG]


def wrong_qualified(name: str) -> list[str]:
    """What is wrong with the key of a label, annotation or resource."""
    prefix, slash, part = name.rpartition("/")
    found = []
    if slash and not prefix:
        found.append("prefix part must be non-empty")
    elif slash:
        found += [f"prefix part {one}" for one in wrong_subdomain(prefix)]
    if not part:
        found.append("name part must be non-empty")
    elif len(part) > LABEL_LENGTH:
        found.append(f"name part {too_long(LABEL_LENGTH)}")
    return found if QUALIFIED.match(part) else [*found, QUALIFIED_WRONG]


def wrong_value(value: str) -> list[str]:
    """What is wrong with the value of a label."""
    found = [too_long(LABEL_LENGTH)] if len(value) > LABEL_LENGTH else []
    return found if VALUE.match(value) else [*found, VALUE_WRONG]
