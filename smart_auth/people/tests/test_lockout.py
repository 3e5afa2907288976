"""Back-off: doubling, capped, per subject, and no better for those who guess at once."""

from concurrent.futures import ThreadPoolExecutor

from smart_auth.people.lockout import FORGIVEN, FORGOTTEN_AFTER, LONGEST_WAIT, RULES, Lockout, of_address, wait_after
from smart_auth.people.tests.conftest import Clock
from smart_auth.records import SqlRecords

LOGIN, ADDRESS = "login:ada", "address:10.0.0.1"


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    free = RULES["login"].free
    waits = [wait_after("login", failures) for failures in range(free + 12)]
    assert waits[:free] == [0] * free
    assert waits[free : free + 4] == [2, 4, 8, 16]
    assert max(waits) == waits[-1] == LONGEST_WAIT == 900
    assert wait_after("login", 10**9) == LONGEST_WAIT


def test_free_tries_then_a_wait_that_ends_by_itself(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    assert [lockout.try_once(LOGIN, ADDRESS) for _ in range(5)] == [0] * 5
    assert lockout.try_once(LOGIN, ADDRESS) == 2
    clock.at += 2
    assert lockout.try_once(LOGIN, ADDRESS) == 0
    assert lockout.try_once(LOGIN, ADDRESS) == 4


def test_others_are_not_held_up(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    for _ in range(7):
        lockout.try_once(LOGIN)
    assert lockout.try_once("login:grace", "address:10.0.0.2") == 0


def test_waiting_tries_do_not_lengthen_the_wait(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    for _ in range(50):
        lockout.try_once(LOGIN)
    assert records.failures(LOGIN)[0] == 5


def test_success_forgets_and_so_does_a_day(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    for _ in range(6):
        lockout.try_once(LOGIN)
    lockout.succeeded(LOGIN)
    assert lockout.try_once(LOGIN) == 0
    for _ in range(6):
        lockout.try_once(LOGIN)
    clock.at += FORGOTTEN_AFTER + 1
    assert [lockout.try_once(LOGIN) for _ in range(5)] == [0] * 5


def test_an_address_may_guess_at_many_logins_only_so_often(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    allowed = sum(lockout.try_once(f"login:guess{at}", ADDRESS) == 0 for at in range(80))
    assert allowed == RULES["address"].free


def test_guessing_at_once_gains_nothing(records: SqlRecords, clock: Clock) -> None:
    lockout = Lockout(records, clock)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: lockout.try_once(LOGIN), range(40)))
    assert waits.count(0) <= RULES["login"].free


def test_who_logs_in_as_themself_in_between_gains_little(records: SqlRecords, clock: Clock) -> None:
    """One password tried on many logins: the address waits, though it also logs in now and then."""
    lockout, address = Lockout(records, clock), "address:10.0.0.9"
    allowed = 0
    for number in range(200):
        if lockout.try_once(f"login:n{number}", address) == 0:
            allowed += 1
        if number % 20 == 19:
            lockout.succeeded("login:mine", address)
    assert allowed <= RULES["address"].free + 10 * FORGIVEN
    for _ in range(20):
        lockout.succeeded(address)
    assert lockout.try_once(address) == 0


def test_all_addresses_of_one_network_are_one_subject() -> None:
    assert of_address("10.0.0.1") == "address:10.0.0.1"
    assert of_address("2001:db8:1:2::1") == of_address("2001:db8:1:2:ffff::9") != of_address("2001:db8:1:3::1")
    assert of_address("fe80::1%eth0") == of_address("fe80::2") and of_address("") == "address:"
