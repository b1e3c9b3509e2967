/* SPDX-License-Identifier: MIT */
/* Proof of announce.h: the bytes, and how announcements are found among others. */
#include "wire/announce.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SIZE FERRYI_ANNOUNCE_SIZE

START_TEST(it_looks_as_promised)
{
	unsigned char buf[SIZE];
	char name[FERRYI_ANNOUNCED_NAME];

	ferryi_announce_format(buf, 0x0123456789abcdef);
	ck_assert_mem_eq(buf,
			 "\x89"
			 "FFIFO\n\1\0\0\0\0\0\0\0\0"
			 "\xef\xcd\xab\x89\x67\x45\x23\x01"
			 "\x10\x32\x54\x76\x98\xba\xdc\xfe",
			 SIZE);
	ferryi_announced_name(name, 0xab, FERRYI_TO_SERVER);
	ck_assert_str_eq(name, ".fifo.00000000000000ab.in");
	ferryi_announced_name(name, ~0ull, FERRYI_TO_CLIENT);
	ck_assert_str_eq(name, ".fifo.ffffffffffffffff.out");
}
END_TEST

START_TEST(names_of_connections_are_known_from_others)
{
	static const char *const others[] = {
		"",
		".fifo.",
		".fifo.ab.in",
		".fifo.00000000000000AB.in",
		".fifo.00000000000000ab",
		".fifo.00000000000000ab.",
		".fifo.00000000000000ab.inn",
		".fifo.0x000000000000ab.in",
		".fifo.-00000000000000ab.in",
		".fifo.000000000000000ab.in",
		"x.fifo.00000000000000ab.in",
	};
	uint64_t n = 0;

	ck_assert(ferryi_announced_number(".fifo.00000000000000ab.in", &n));
	ck_assert_uint_eq(n, 0xab);
	ck_assert(ferryi_announced_number(".fifo.fffffffffffffffe.out", &n));
	ck_assert_uint_eq(n, ~1ull);
	for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert(!ferryi_announced_number(others[i], &n));
}
END_TEST

/* As a door reads: never more than what is missing.  How many were found. */
static unsigned feed(const unsigned char *data, size_t len, uint64_t *last)
{
	unsigned char buf[SIZE];
	unsigned found = 0;
	size_t n = 0, take;

	while (len > 0) {
		take = len < SIZE - n ? len : SIZE - n;
		memcpy(buf + n, data, take);
		n += take;
		data += take;
		len -= take;
		found += (unsigned)ferryi_announce_find(buf, &n, last);
		ck_assert_uint_lt(n, SIZE);
	}
	return found;
}

START_TEST(it_is_found_behind_any_garbage)
{
	unsigned char data[100 + SIZE];
	uint64_t last;

	for (size_t before = 0; before <= 100; before++) {
		for (size_t i = 0; i < before; i++)
			data[i] = (unsigned char)(i % 3 ? 0x89 : i);
		ferryi_announce_format(data + before, before);
		last = ~0ull;
		ck_assert_uint_eq(feed(data, before + SIZE, &last), 1);
		ck_assert_uint_eq(last, before);
	}
}
END_TEST

START_TEST(a_changed_byte_makes_it_none)
{
	unsigned char data[SIZE];
	uint64_t last;

	for (size_t i = 0; i < SIZE; i++) {
		ferryi_announce_format(data, 77);
		data[i] ^= 0x20;
		ck_assert_uint_eq(feed(data, SIZE, &last), 0);
	}
}
END_TEST

START_TEST(the_beginning_of_one_does_not_hide_the_next)
{
	unsigned char data[2 * SIZE];
	uint64_t last = 0;

	for (size_t cut = 0; cut < SIZE; cut++) {
		ferryi_announce_format(data, 1);
		ferryi_announce_format(data + cut, 2);
		ck_assert_uint_eq(feed(data, cut + SIZE, &last), 1);
		ck_assert_uint_eq(last, 2);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("announce");
	TCase *tc = tcase_create("announce");
	SRunner *r;
	int failed;

	tcase_add_test(tc, it_looks_as_promised);
	tcase_add_test(tc, names_of_connections_are_known_from_others);
	tcase_add_test(tc, it_is_found_behind_any_garbage);
	tcase_add_test(tc, a_changed_byte_makes_it_none);
	tcase_add_test(tc, the_beginning_of_one_does_not_hide_the_next);
	suite_add_tcase(s, tc);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
