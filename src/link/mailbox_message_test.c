/* SPDX-License-Identifier: MIT */
/* What a message carries, and every end of one. */
#include "link/mailbox_test.h"

/* --- what a message carries --------------------------------------------------------- */

#define ONE_SHOTS 100

static void send_once(void *arg)
{
	struct ferry_link *l = open_box("jobs");
	char name[16];

	snprintf(name, sizeof name, "shot-%d", (int)(intptr_t)arg);
	prctl(PR_SET_NAME, name);
	ok(put(l, (uint64_t)(intptr_t)arg));
	ferry_close(l);
}

START_TEST(a_message_names_its_sender_after_that_has_ended)
{
	struct ferry_link *l;
	struct ferry_message m;
	pid_t pid[ONE_SHOTS];

	o.capacity = ONE_SHOTS;
	l = make("jobs");
	for (intptr_t i = 0; i < ONE_SHOTS; i++) {
		pid[i] = child(send_once, (void *)i);
		expect_exit(pid[i], 0);
	}
	for (uint64_t i = 0; i < ONE_SHOTS; i++) {
		m = take(l);
		ck_assert_uint_eq(id_of(&m), i);
		ck_assert_uint_eq(m.seq, i);
		ck_assert_int_eq(m.sender.pid, pid[i]);
		ck_assert_uint_ne(m.sender.start_time, 0);
		ck_assert_uint_eq(m.sender.uid, geteuid());
		ck_assert_uint_eq(m.sender.gid, getegid());
		ck_assert_int_eq(m.sender.proof, FERRY_CLAIMED);
		ck_assert_uint_gt(strlen(m.sender.name), 0);
		ck_assert_int_gt(m.sent_at, 0);
		ck_assert(!m.redelivered);
		ok(ferry_release(&m));
	}
	ferry_close(l);
}
END_TEST

START_TEST(a_large_message_is_written_and_read_in_place)
{
	size_t size = 1u << 20;
	struct ferry_message m;
	struct ferry_link *l;

	o.message_max = size;
	l = make("jobs");
	fails_saying(ferry_loan(l, size + 1, &m, FERRY_NOWAIT), -EMSGSIZE,
		     "too long");
	ok(ferry_loan(l, size, &m, FERRY_NOWAIT));
	for (size_t i = 0; i < size; i++)
		((uint8_t *)m.data)[i] = (uint8_t)(i * 7 + i / 4096);
	m.len = size + 1;
	fails_saying(ferry_commit(&m, FERRY_NOWAIT), -EINVAL, "smaller");
	m.len = size - 1;
	m.type = 5;
	ok(ferry_commit(&m, FERRY_NOWAIT));
	m = take(l);
	ck_assert_uint_eq(m.len, size - 1);
	ck_assert_uint_eq(m.type, 5);
	for (size_t i = 0; i < m.len; i++)
		ck_assert(((uint8_t *)m.data)[i] ==
			  (uint8_t)(i * 7 + i / 4096));
	ok(ferry_release(&m));
	ok(ferry_loan(l, size, &m, FERRY_NOWAIT));
	ok(ferry_abandon(&m));
	fails(ferry_abandon(&m), -EINVAL);
	ck_assert_uint_eq(stat_of(l).loaned, 0);
	ferry_close(l);
}
END_TEST

START_TEST(a_message_of_no_bytes_is_a_message)
{
	struct ferry_link *l;
	struct ferry_message m;

	o.message_max = 0;
	l = make("jobs");
	for (unsigned i = 0; i < 2; i++)
		ok(ferry_send(l, NULL, 0, FERRY_NOWAIT));
	ck_assert_int_eq(ferry_next_len(l), 0);
	ck_assert_int_eq(ferry_recv(l, NULL, 0, FERRY_NOWAIT), 0);
	m = take(l);
	ck_assert_uint_eq(m.len, 0);
	ok(ferry_release(&m));
	fails(ferry_next_len(l), -EAGAIN);
	fails(ferry_send(l, "x", 1, FERRY_NOWAIT), -EMSGSIZE);
	ok(ferry_shutdown(l, FERRY_SEND));
	fails(ferry_next_len(l), -ENODATA);
	ferry_close(l);
}
END_TEST

START_TEST(large_messages_leave_the_ring_its_part_of_the_byte_limit)
{
	static char large[100000];
	struct ferry_link *l;
	unsigned n = 0;

	o.capacity = 1000;
	o.bytes_max = 600000;
	o.message_max = sizeof large;
	l = make("jobs");
	while (ferry_send(l, large, sizeof large, FERRY_NOWAIT) == 0)
		n++;
	ck_assert_uint_ge(n, 2);
	for (; n; n--)
		ck_assert_int_eq(ferry_recv(l, large, sizeof large,
					    FERRY_NOWAIT),
				 sizeof large);
	for (uint64_t i = 0; i < 3000; i++) {
		ok(put(l, i));
		ck_assert_uint_eq(get(l), i);
	}
	ck_assert_uint_le(stat_of(l).bytes, o.bytes_max);
	ferry_close(l);
	o.bytes_max = 100000;
	fails_saying(ferry_mailbox_create(&l, "small", &o), -EINVAL,
		     "byte limit");
}
END_TEST

START_TEST(a_message_too_long_for_the_buffer_stays_first)
{
	struct ferry_link *l = make("jobs");
	char buf[100];

	ok(ferry_send(l, "a hundred", 9, FERRY_NOWAIT));
	ok(put(l, 2));
	fails_saying(ferry_recv(l, buf, 8, FERRY_NOWAIT), -EMSGSIZE, "9 bytes");
	ck_assert_int_eq(ferry_next_len(l), 9);
	ck_assert_int_eq(ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT), 9);
	ck_assert_mem_eq(buf, "a hundred", 9);
	ck_assert_int_eq(get(l), 2);
	ferry_close(l);
}
END_TEST

START_TEST(peek_copies_what_is_queued_and_takes_nothing)
{
	struct ferry_link *l = make("jobs");
	uint64_t cursor = 0, id = 0;
	struct ferry_message m;

	for (uint64_t i = 1; i <= 3; i++)
		ok(put(l, i));
	for (uint64_t i = 1; i <= 3; i++) {
		ok(ferry_peek(l, &cursor, &m, &id, sizeof id));
		ck_assert_uint_eq(id, i);
		ck_assert_uint_eq(m.len, sizeof id);
		ck_assert_uint_eq(m.seq, i - 1);
		ck_assert_int_eq(m.sender.pid, getpid());
		fails(ferry_release(&m), -EINVAL);
	}
	fails(ferry_peek(l, &cursor, &m, &id, sizeof id), -EAGAIN);
	cursor = 0;
	ok(ferry_peek(l, &cursor, &m, NULL, 0));
	ck_assert_uint_eq(m.len, sizeof id);
	ck_assert_uint_eq(stat_of(l).queued, 3);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(get(l), i);
	ferry_close(l);
}
END_TEST

/* --- the ends of a message ------------------------------------------------------ */

START_TEST(a_requeued_message_comes_back_when_it_is_due)
{
	struct ferry_link *l = make("jobs");
	struct ferry_message m, again;
	ferry_time due;
	uint64_t id;

	ok(put(l, 1));
	m = take(l);
	id = m.id;
	due = ferry_after(FERRY_MS(50));
	ok(ferry_requeue(&m, FERRY_MS(50)));
	fails(ferry_release(&m), -EINVAL); /* spent */
	ck_assert_uint_eq(stat_of(l).returned, 1);
	fails(ferry_take(l, &again, FERRY_NOWAIT), -EAGAIN);
	ok(ferry_take(l, &again, SOON));
	ck_assert_int_ge(ferryi_now(), due);
	ck_assert_uint_eq(again.id, id);
	ck_assert_uint_eq(again.deliveries, 2);
	ck_assert(again.redelivered);
	ok(ferry_release(&again));
	ck_assert_uint_eq(stat_of(l).redelivered, 1);
	ferry_close(l);
}
END_TEST

START_TEST(a_rejected_message_is_dropped_and_counted_or_kept_as_dead_letter)
{
	struct ferry_link *l, *dead = NULL;
	struct ferry_message m, letter;
	uint64_t id;

	o.dead_letter = _i ? "dead" : NULL;
	l = make("jobs");
	ok(put(l, 1)); /* the letter is the first of its mailbox, not of this */
	ck_assert_int_eq(get(l), 1);
	ok(ferry_loan(l, 8, &m, FERRY_NOWAIT));
	m.type = 77;
	memcpy(m.data, "rejected", 8);
	ok(ferry_commit(&m, FERRY_NOWAIT));
	m = take(l);
	id = m.id;
	ok(ferry_reject(&m));
	fails(ferry_take(l, &m, FERRY_NOWAIT), -EAGAIN);
	ck_assert_uint_eq(stat_of(l).rejected, _i ? 0 : 1);
	ck_assert_uint_eq(stat_of(l).dead_lettered, _i ? 1 : 0);
	if (_i) {
		dead = open_box("dead");
		letter = take(dead);
		ck_assert_uint_eq(letter.len, 8);
		ck_assert_mem_eq(letter.data, "rejected", 8);
		ck_assert_uint_eq(letter.id, id);
		ck_assert_uint_eq(letter.type, 77);
		ck_assert_int_eq(letter.sender.pid, getpid());
		ok(ferry_release(&letter));
	}
	ferry_close(l);
	ferry_close(dead);
}
END_TEST

START_TEST(the_delivery_limit_ends_in_the_dead_letters_or_the_count)
{
	struct ferry_link *l, *dead;
	struct ferry_message m;

	o.max_deliveries = 2;
	o.dead_letter = _i ? "dead" : NULL;
	l = make("jobs");
	ok(put(l, 1));
	for (uint32_t n = 1; n <= 2; n++) {
		m = take(l);
		ck_assert_uint_eq(m.deliveries, n);
		ok(ferry_requeue(&m, 0));
	}
	fails(ferry_take(l, &m, FERRY_NOWAIT), -EAGAIN);
	ck_assert_uint_eq(stat_of(l).rejected, _i ? 0 : 1);
	ck_assert_uint_eq(stat_of(l).dead_lettered, _i ? 1 : 0);
	ck_assert_uint_eq(stat_of(l).returned, 0);
	if (_i) {
		dead = open_box("dead");
		ck_assert_int_eq(get(dead), 1);
		ferry_close(dead);
	}
	ferry_close(l);
}
END_TEST

START_TEST(when_the_dead_letters_are_full_the_message_stays_ours)
{
	struct ferry_link *l, *dead;
	struct ferry_message m[3];

	o.capacity = 2;
	o.dead_letter = "dead";
	l = make("jobs");
	for (uint64_t i = 0; i < 3; i++) {
		ok(put(l, i + 1));
		m[i] = take(l);
	}
	ok(ferry_reject(&m[0]));
	ok(ferry_reject(&m[1]));
	fails_saying(ferry_reject(&m[2]), -EAGAIN, "dead is full");
	ck_assert_uint_eq(stat_of(l).held, 1);
	ck_assert_uint_eq(id_of(&m[2]), 3);
	dead = open_box("dead");
	ck_assert_int_eq(get(dead), 1);
	ok(ferry_reject(&m[2]));
	ck_assert_uint_eq(stat_of(l).dead_lettered, 3);
	ck_assert_int_eq(get(dead), 2);
	ck_assert_int_eq(get(dead), 3);
	ferry_close(dead);
	ferry_close(l);
}
END_TEST

START_TEST(dead_letters_of_oneself_or_of_another_realm_are_refused)
{
	struct ferry_link *l;

	o.dead_letter = "jobs";
	fails_saying(ferry_mailbox_create(&l, "jobs", &o), -EINVAL,
		     "another mailbox");
	o.dead_letter = "./dead";
	fails_saying(ferry_mailbox_create(&l, "jobs", &o), -EINVAL,
		     "another mailbox");
	o.dead_letter = ".dead";
	fails(ferry_mailbox_create(&l, "jobs", &o), -EINVAL);
}
END_TEST

/* A receiver takes the first message and is killed. */
static void kill_a_holder(void)
{
	pid_t pid = child(take_and_stay, NULL);

	gate_await(&s->ready, 1);
	kill_child(pid);
}

START_TEST(what_a_killed_receiver_held_comes_back_or_is_lost_as_chosen)
{
	struct ferry_link *l;
	struct ferry_message m;

	o.delivery = _i ? FERRY_AT_MOST_ONCE : FERRY_AT_LEAST_ONCE;
	l = make("jobs");
	ok(put(l, 1));
	ok(put(l, 2));
	kill_a_holder();
	ok(ferry_take(l, &m, SOON));
	while (_i == 0 && !m.redelivered) { /* the death is not noticed yet */
		ok(ferry_requeue(&m, FERRY_S(100)));
		ok(ferry_take(l, &m, SOON));
	}
	if (_i == 0)
		ck_assert_uint_eq(id_of(&m), 1);
	else
		ck_assert_uint_eq(id_of(&m), 2);
	ok(ferry_release(&m));
	if (_i == 1) {
		fails(ferry_take(l, &m, ferry_after(FERRY_MS(500))),
		      -ETIMEDOUT); /* a sleeper looks for the dead */
		ck_assert_uint_eq(stat_of(l).lost, 1);
	}
	ck_assert_uint_eq(stat_of(l).held, 0);
	ferry_close(l);
}
END_TEST

START_TEST(at_most_once_drops_what_a_closed_handle_held)
{
	struct ferry_link *a, *b;
	struct ferry_message m;

	o.delivery = FERRY_AT_MOST_ONCE;
	a = make("jobs");
	b = open_box("jobs");
	ok(put(a, 1));
	m = take(a);
	ck_assert_uint_eq(id_of(&m), 1);
	ferry_close(a);
	ck_assert_int_eq(get(b), -EAGAIN);
	ck_assert_uint_eq(stat_of(b).lost, 1);
	ferry_close(b);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("message");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_requeued_message_comes_back_when_it_is_due);
	tcase_add_loop_test(
		t,
		a_rejected_message_is_dropped_and_counted_or_kept_as_dead_letter,
		0, 2);
	tcase_add_loop_test(
		t, the_delivery_limit_ends_in_the_dead_letters_or_the_count, 0,
		2);
	tcase_add_test(t,
		       when_the_dead_letters_are_full_the_message_stays_ours);
	tcase_add_test(t,
		       dead_letters_of_oneself_or_of_another_realm_are_refused);
	tcase_add_loop_test(
		t, what_a_killed_receiver_held_comes_back_or_is_lost_as_chosen,
		0, 2);
	tcase_add_test(t, at_most_once_drops_what_a_closed_handle_held);
	tcase_add_test(t, a_message_names_its_sender_after_that_has_ended);
	tcase_add_test(t, a_large_message_is_written_and_read_in_place);
	tcase_add_test(t, a_message_of_no_bytes_is_a_message);
	tcase_add_test(
		t, large_messages_leave_the_ring_its_part_of_the_byte_limit);
	tcase_add_test(t, a_message_too_long_for_the_buffer_stays_first);
	tcase_add_test(t, peek_copies_what_is_queued_and_takes_nothing);
	return unit_main(t, "message");
}
