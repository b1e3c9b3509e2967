/* SPDX-License-Identifier: MIT */
/*
 * Addresses: "scheme:rest?key=value&...", parsed once into a fixed structure.
 * Pure: no I/O, no allocation.  A bare name means "mailbox:NAME"; so does a
 * path with a '/' and no scheme ("./dir/jobs").
 */
#ifndef FERRYI_WIRE_ADDRESS_H
#define FERRYI_WIRE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FERRYI_ADDRESS_MAX 4096
#define FERRYI_SCHEME_MAX  16
#define FERRYI_KEYS_MAX	   16

struct ferryi_key {
	const char *key;
	const char *value; /* "" when there is no '=' */
};

struct ferryi_address {
	char scheme[FERRYI_SCHEME_MAX];
	const char *rest; /* percent-decoded, terminated */
	unsigned n_keys;
	struct ferryi_key keys[FERRYI_KEYS_MAX];
	char text[FERRYI_ADDRESS_MAX]; /* what the pointers point into */
};

/*
 * The text before the first ':' is the scheme, unless a '/' or '?' comes
 * earlier.  "%2f" stands for one byte, everywhere behind the scheme; a '%' that ends
 * a value stands for itself ("drop=10%").
 *
 * 0, or -EINVAL with *out_why set to a static phrase ("a key without a name").
 * The result points into itself: it is passed on by pointer, never copied.
 */
int ferryi_address_parse(struct ferryi_address *a, const char *text,
			 const char **out_why);

/* The value of a key, or NULL. */
const char *ferryi_address_get(const struct ferryi_address *a, const char *key);

/*
 * The first key that is not one of `known` ("type mode"), or NULL.  Keys are
 * compared before anything is opened, so that a refusal leaves no trace.
 */
const char *ferryi_address_unknown(const struct ferryi_address *a,
				   const char *known);

/* Is the word of `len` bytes in a list such as "type mode"? */
bool ferryi_address_has_word(const char *list, const char *word, size_t len);

/*
 * The address without those of its keys that are in `keys`, with another scheme.
 * *out points into `a`.
 */
void ferryi_address_without(const struct ferryi_address *a, const char *scheme,
			    const char *keys, struct ferryi_address *out);

/*
 * Write scheme:rest?keys so that parsing it gives the same again.  Returns
 * the length as snprintf does.
 */
int ferryi_address_format(const struct ferryi_address *a, char *buf,
			  size_t size);

/* "500ms" "2s" "1m" "10us" "3h" or plain seconds, "0.5", in ns.  -EINVAL. */
int ferryi_parse_duration(const char *text, int64_t *out_ns);

/* "64K" "1M" "2G" "10" in bytes (1024s).  -EINVAL. */
int ferryi_parse_size(const char *text, uint64_t *out);

#endif
