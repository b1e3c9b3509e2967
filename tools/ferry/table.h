/* SPDX-License-Identifier: MIT */
/*
 * Tables for people: columns as wide as they need to be, and the short forms
 * of sizes, times and states that stand in them.
 */
#ifndef FERRY_TOOLS_TABLE_H
#define FERRY_TOOLS_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <ferry.h>

#define TABLE_COLUMNS_MAX 16

struct table {
	int n_columns;
	size_t n_cells, cap;
	char **cells; /* the heading is the first row */
};

/* Headings, ending with NULL; one that begins with '>' is set to the right. */
void table_init(struct table *t, const char *const *headings);

/* The next cell, row after row. */
void table_cell(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Print what was collected (nothing when there is no row) and free it. */
void table_print(struct table *t);

#define SHORT_MAX 32

/* "512" "64K" "1.5M" */
const char *short_size(uint64_t bytes, char buf[SHORT_MAX]);
/* "12ms" "3s" "5m" "2h" "4d" */
const char *short_span(int64_t ns, char buf[SHORT_MAX]);
/* The span since a CLOCK_REALTIME moment; "-" for 0. */
const char *short_age(int64_t realtime_ns, char buf[SHORT_MAX]);
/* The user's name, or the number. */
const char *user_name(uid_t uid, char buf[SHORT_MAX]);

/* "live", "abandoned" ... */
const char *state_name(enum ferry_state state);
const char *full_name(enum ferry_full full);
const char *delivery_name(enum ferry_delivery delivery);
const char *persistence_name(enum ferry_persistence persistence);
const char *policy_name(enum ferry_policy policy);

#endif
