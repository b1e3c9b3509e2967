/* SPDX-License-Identifier: MIT */
/*
 * A plan always passes its own check, and a damaged header is refused or
 * harmless.
 */
#include "shm/layout.h"

#include <check.h>
#include <errno.h>
#include <ferry/mailbox.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t capacities[] = {
	1,
	2,
	3,
	4,
	5,
	7,
	8,
	9,
	31,
	32,
	33,
	100,
	1000,
	1023,
	1024,
	1025,
	4096,
	65535,
	65536,
	65537,
	1 << 20,
	1 << 23,
	(1 << 24) - 1,
	1 << 24,
};
static const uint64_t sizes[] = {
	0,
	1,
	95,
	96,
	97,
	128,
	129,
	255,
	256,
	257,
	1024,
	1025,
	4095,
	4096,
	4097,
	5000,
	1 << 16,
	1 << 20,
	(1 << 20) + 1,
	1 << 24,
	1 << 30,
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

static int plan(struct ferryi_header *h, uint64_t capacity, uint64_t size)
{
	struct ferryi_choice c = { .capacity = capacity, .message_max = size };
	const char *why = NULL;
	int r = ferryi_layout_plan(h, &c, &why);

	if (r == 0)
		h->checksum = ferryi_checksum(h, offsetof(struct ferryi_header,
							  checksum));
	else
		ck_assert_ptr_nonnull(why);
	return r;
}

static int check(const struct ferryi_header *h, uint64_t bytes)
{
	const char *why = NULL;
	int r = ferryi_layout_check(h, bytes, &why);

	if (r < 0)
		ck_assert_ptr_nonnull(why);
	return r;
}

/* --- plans --------------------------------------------------------------- */

/* Every offset that a class allows lies in the file and in no other class. */
static void see_geometry(const struct ferryi_header *h)
{
	const struct ferryi_class *k = h->classes;
	uint64_t ring = UINT64_C(1) << h->shape.ring_log2, chunks = 0;
	uint64_t end = h->records_at + 256ull * h->n_chunks;

	ck_assert_uint_eq(h->records_at, 8192);
	ck_assert_uint_ge(ring, h->choice.capacity);
	ck_assert_uint_eq(k[0].count, ring);
	ck_assert_uint_eq(k[0].size | k[1].size, 0);
	for (uint32_t i = 0; i < h->n_classes; i++) {
		ck_assert_uint_eq(k[i].first, chunks);
		ck_assert_uint_ge(k[i].payload_at, end);
		ck_assert_uint_eq(k[i].payload_at % 4096, 0);
		chunks += k[i].count;
		end = k[i].payload_at + k[i].size * k[i].count;
	}
	ck_assert_uint_eq(chunks, h->n_chunks);
	ck_assert_uint_le(chunks, UINT64_C(1) << h->shape.index_bits);
	ck_assert_uint_le(end, h->preamble.total_bytes);
	ck_assert_uint_ge(ferryi_max(k[h->n_classes - 1].size, FERRYI_INLINE),
			  h->choice.message_max);
	ck_assert_uint_eq(1u + h->shape.turn_bits + h->shape.gen_bits +
				  h->shape.index_bits,
			  64);
}

START_TEST(a_plan_passes_its_own_check)
{
	struct ferryi_header h;

	for (size_t i = 0; i < N(capacities); i++)
		for (size_t j = 0; j < N(sizes); j++) {
			ck_assert_int_eq(plan(&h, capacities[i], sizes[j]), 0);
			see_geometry(&h);
			ck_assert_int_eq(check(&h, h.preamble.total_bytes), 0);
		}
}
END_TEST

START_TEST(a_byte_limit_makes_fewer_places)
{
	struct ferryi_choice c = { .capacity = 1000,
				   .message_max = 1 << 20,
				   .bytes_max = 4 << 20 };
	struct ferryi_header wide, h;
	const char *why;

	ck_assert_int_eq(plan(&wide, c.capacity, c.message_max), 0);
	ck_assert_int_eq(ferryi_layout_plan(&h, &c, &why), 0);
	ck_assert_uint_lt(h.n_chunks, wide.n_chunks);
	h.checksum =
		ferryi_checksum(&h, offsetof(struct ferryi_header, checksum));
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), 0);
}
END_TEST

START_TEST(a_choice_out_of_bounds_is_refused)
{
	struct ferryi_choice good = { .capacity = 8 }, c;
	struct ferryi_header h;
	const char *why;

	ck_assert_int_eq(plan(&h, 0, 8), -EINVAL);
	ck_assert_int_eq(plan(&h, (1 << 24) + 1, 8), -EINVAL);
	ck_assert_int_eq(plan(&h, 8, (1 << 30) + 1), -EINVAL);
	c = good;
	c.full = FERRY_FULL_DROP_OLD + 1;
	ck_assert_int_eq(ferryi_layout_plan(&h, &c, &why), -EINVAL);
	c = good;
	c.max_deliveries = 256;
	ck_assert_int_eq(ferryi_layout_plan(&h, &c, &why), -EINVAL);
	c = good;
	memset(c.dead_letter, 'x', sizeof c.dead_letter);
	ck_assert_int_eq(ferryi_layout_plan(&h, &c, &why), -EINVAL);
}
END_TEST

/* --- damage -------------------------------------------------------------- */

START_TEST(another_size_of_the_file_is_refused)
{
	struct ferryi_header h;
	uint64_t bytes;

	ck_assert_int_eq(plan(&h, 100, 1000), 0);
	bytes = h.preamble.total_bytes;
	ck_assert_int_eq(check(&h, bytes - 1), -EBADMSG);
	ck_assert_int_eq(check(&h, bytes + 1), -EBADMSG);
	ck_assert_int_eq(check(&h, 0), -EBADMSG);
}
END_TEST

START_TEST(strangers_and_other_versions_are_told_apart)
{
	struct ferryi_header good, h;

	ck_assert_int_eq(plan(&good, 100, 1000), 0);
	h = good;
	h.preamble.magic ^= 1;
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EBADMSG);
	h = good;
	h.preamble.format++;
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EPROTO);
	h = good;
	h.preamble.word_bits = 32;
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EPROTO);
	h = good;
	h.preamble.must_know = 1;
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EPROTO);
	h = good;
	h.preamble.kind = FERRYI_KIND_REGISTRY;
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EBADMSG);
	h = good;
	h.preamble.may_know = 1; /* may be unknown, but not unsigned for */
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EBADMSG);
	h.checksum =
		ferryi_checksum(&h, offsetof(struct ferryi_header, checksum));
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), 0);
}
END_TEST

START_TEST(classes_that_share_memory_are_refused)
{
	struct ferryi_header h;

	ck_assert_int_eq(plan(&h, 100, 5000), 0);
	h.classes[3].payload_at -= FERRYI_PAGE;
	h.checksum =
		ferryi_checksum(&h, offsetof(struct ferryi_header, checksum));
	ck_assert_int_eq(check(&h, h.preamble.total_bytes), -EBADMSG);
}
END_TEST

START_TEST(each_single_flipped_bit_is_refused)
{
	struct ferryi_header good, h;

	ck_assert_int_eq(plan(&good, 1000, 5000), 0);
	for (size_t at = 0; at < sizeof h; at++)
		for (unsigned flip = 1; flip < 257; flip <<= 1) {
			h = good;
			((uint8_t *)&h)[at] ^=
				(uint8_t)(flip < 256 ? flip : 0xff);
			ck_assert_int_lt(check(&h, good.preamble.total_bytes),
					 0);
		}
}
END_TEST

/* A header that was damaged and then signed again: what is accepted holds
 * together, so that no offset made from it leaves the file. */
static void see_bounded(const struct ferryi_header *h)
{
	const struct ferryi_class *k;
	uint64_t bytes = h->preamble.total_bytes;

	ck_assert_uint_le(h->records_at + 256ull * h->n_chunks, bytes);
	for (uint32_t i = 0; i < h->n_classes; i++) {
		k = &h->classes[i];
		ck_assert_uint_le(k->first + (uint64_t)k->count, h->n_chunks);
		ck_assert_uint_le(k->payload_at + k->size * k->count, bytes);
	}
}

static void mutate(struct ferryi_header *h, unsigned times)
{
	size_t at;

	while (times--) {
		at = (size_t)rand() % offsetof(struct ferryi_header, checksum);
		((uint8_t *)h)[at] = (uint8_t)rand();
	}
}

START_TEST(ten_thousand_random_mutations_are_never_accepted)
{
	struct ferryi_header good, h;

	srand(11);
	for (unsigned n = 0; n < 10000; n++) {
		ck_assert_int_eq(plan(&good, capacities[n % N(capacities)],
				      sizes[n % N(sizes)]),
				 0);
		h = good;
		mutate(&h, 1 + n % 16);
		if (memcmp(&h, &good, sizeof h) == 0)
			continue;
		ck_assert_int_lt(check(&h, good.preamble.total_bytes), 0);
	}
}
END_TEST

START_TEST(what_is_accepted_when_signed_again_stays_in_the_file)
{
	struct ferryi_header h;
	unsigned accepted = 0;

	srand(12);
	for (unsigned n = 0; n < 5000; n++) {
		ck_assert_int_eq(plan(&h, capacities[n % N(capacities)],
				      sizes[n % N(sizes)]),
				 0);
		mutate(&h, 1 + n % 3);
		h.checksum = ferryi_checksum(&h, offsetof(struct ferryi_header,
							  checksum));
		if (check(&h, h.preamble.total_bytes) == 0) {
			accepted++;
			see_bounded(&h);
		}
	}
	ck_assert_uint_gt(accepted, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("layout");
	TCase *plans = tcase_create("plans"), *damage = tcase_create("damage");
	SRunner *runner;
	int failed;

	tcase_add_test(plans, a_plan_passes_its_own_check);
	tcase_add_test(plans, a_byte_limit_makes_fewer_places);
	tcase_add_test(plans, a_choice_out_of_bounds_is_refused);
	tcase_add_test(damage, another_size_of_the_file_is_refused);
	tcase_add_test(damage, strangers_and_other_versions_are_told_apart);
	tcase_add_test(damage, classes_that_share_memory_are_refused);
	tcase_add_test(damage, each_single_flipped_bit_is_refused);
	tcase_add_test(damage,
		       ten_thousand_random_mutations_are_never_accepted);
	tcase_add_test(damage,
		       what_is_accepted_when_signed_again_stays_in_the_file);
	suite_add_tcase(suite, plans);
	suite_add_tcase(suite, damage);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
