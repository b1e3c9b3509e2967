/* SPDX-License-Identifier: MIT */
/*
 * What a caller can get wrong: the number, the sentence, and nothing lost.
 */
#include "fault.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_name_of_no_bytes_or_300_bytes_is_refused)
{
	struct ferry_link *link;
	char name[301];

	memset(name, 'n', 300);
	name[300] = '\0';
	refused(NULL, ferry_mailbox_create(&link, "", NULL), -EINVAL, "name");
	refused(NULL, ferry_mailbox_create(&link, name, NULL), -EINVAL, "200");
	refused(NULL, ferry_open(&link, "", FERRY_SEND), -EINVAL, "");
	refused(NULL, ferry_open(&link, name, FERRY_SEND), -EINVAL, "200");
	refused(NULL, ferry_destroy(name), -EINVAL, "200");
	refused(NULL, ferry_mailbox_create(&link, ".hidden", NULL), -EINVAL,
		".");
}
END_TEST

START_TEST(a_name_that_nobody_made_is_not_there)
{
	struct ferry_link *link;

	refused(NULL, ferry_open(&link, "nothing", FERRY_SEND), -ENOENT,
		place.path);
}
END_TEST

START_TEST(a_message_over_the_limit_is_refused_and_nothing_is_sent)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	static char data[5000];
	struct ferry_link *box;
	char got[8];

	o.message_max = 100;
	works(NULL, ferry_mailbox_create(&box, "box", &o));
	refused(box, ferry_send(box, data, 101, FERRY_NOWAIT), -EMSGSIZE,
		"100");
	refused(box, ferry_recv(box, got, sizeof(got), FERRY_NOWAIT), -EAGAIN,
		"box");
	works(box, ferry_send(box, data, 100, FERRY_NOWAIT));
	ferry_close(box);
}
END_TEST

START_TEST(a_buffer_too_small_leaves_the_message_first)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	char buf[64];

	works(box, ferry_send(box, "the first message", 18, FERRY_NOWAIT));
	works(box, ferry_send(box, "two", 4, FERRY_NOWAIT));
	refused(box, ferry_recv(box, buf, 5, FERRY_NOWAIT), -EMSGSIZE, "18");
	ck_assert_int_eq(ferry_next_len(box), 18);
	ck_assert_int_eq(ferry_recv(box, buf, sizeof(buf), FERRY_NOWAIT), 18);
	ck_assert_str_eq(buf, "the first message");
	ck_assert_int_eq(ferry_recv(box, buf, sizeof(buf), FERRY_NOWAIT), 4);
	ferry_close(box);
}
END_TEST

START_TEST(malformed_addresses_are_refused_by_name)
{
	static const struct {
		const char *address, *phrase;
	} bad[] = {
		{ "nosuch:thing", "nosuch" },
		{ "mailbox:", "name" },
		{ "mailbox:box?colour=red", "colour" },
		{ "mailbox:box?timeout=soon", "soon" },
		{ "unix:/x?type=horse", "horse" },
		{ "fd:seven", "seven" },
		{ "unix:", "path" },
	};
	struct ferry_link *link;

	ferry_close(make_box("box", 4, FERRY_PERSIST_KERNEL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(NULL, ferry_open(&link, bad[i].address, FERRY_DUPLEX),
			-EINVAL, bad[i].phrase);
	works(NULL, ferry_destroy("box"));
}
END_TEST

START_TEST(messages_and_streams_do_not_mix)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_link *ends[2];
	char buf[8];

	refused(box, ferry_write(box, "x", 1, FERRY_NOWAIT), -EPROTOTYPE,
		"messages");
	refused(box, ferry_read(box, buf, 8, FERRY_NOWAIT), -EPROTOTYPE,
		"messages");
	works(NULL, ferry_pair(ends, "pipe:"));
	refused(ends[1], ferry_send(ends[1], "x", 1, FERRY_NOWAIT), -EPROTOTYPE,
		"stream");
	refused(ends[0], ferry_recv(ends[0], buf, 8, FERRY_NOWAIT), -EPROTOTYPE,
		"stream");
	ferry_close(ends[0]);
	ferry_close(ends[1]);
	ferry_close(box);
}
END_TEST

START_TEST(impossible_options_are_refused_with_their_limits)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *link;

	o.capacity = (uint64_t)1 << 40;
	refused(NULL, ferry_mailbox_create(&link, "box", &o), -EINVAL,
		"capacity");
	o.capacity = 4;
	o.message_max = (uint64_t)1 << 40;
	refused(NULL, ferry_mailbox_create(&link, "box", &o), -EINVAL,
		"message");
	o.message_max = 100;
	o.trust = (enum ferry_trust)7; /* e7: a guarded one has no name */
	refused(NULL, ferry_mailbox_create(&link, "box", &o), -EINVAL, "trust");
}
END_TEST

START_TEST(a_message_is_ended_only_once)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m, copy;

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	copy = m;
	works(box, ferry_release(&m));
	refused(NULL, ferry_release(&m), -EINVAL, "spent");
	refused(box, ferry_release(&copy), -ESTALE, "");
	ferry_close(box);
}
END_TEST

Suite *calls_suite(void)
{
	Suite *s = suite_create("calls");
	TCase *t = fault_case("calls", 30);

	tcase_add_test(t, a_name_of_no_bytes_or_300_bytes_is_refused);
	tcase_add_test(t, a_name_that_nobody_made_is_not_there);
	tcase_add_test(t,
		       a_message_over_the_limit_is_refused_and_nothing_is_sent);
	tcase_add_test(t, a_buffer_too_small_leaves_the_message_first);
	tcase_add_test(t, malformed_addresses_are_refused_by_name);
	tcase_add_test(t, messages_and_streams_do_not_mix);
	tcase_add_test(t, impossible_options_are_refused_with_their_limits);
	tcase_add_test(t, a_message_is_ended_only_once);
	suite_add_tcase(s, t);
	return s;
}
