/* SPDX-License-Identifier: MIT */
/* See frame.h. */
#include "wire/frame.h"

#include <errno.h>
#include <string.h>

static const char *const names[] = { "line", "nul", "len32" };

int ferryi_frame_kind(const char *name)
{
	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

const char *ferryi_frame_name(enum ferryi_frame_kind kind)
{
	return names[kind];
}

static unsigned char delimiter(enum ferryi_frame_kind kind)
{
	return kind == FERRYI_FRAME_LINE ? '\n' : 0;
}

/* --- writing ------------------------------------------------------------- */

static void put_len32(unsigned char *to, size_t len)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(len >> (8 * i));
}

int ferryi_frame_begin(struct ferryi_frame_out *o, enum ferryi_frame_kind kind,
		       const void *data, size_t len, size_t max)
{
	size_t room;

	if (len > max || len > UINT32_MAX)
		return -EMSGSIZE;
	o->data = data;
	o->len = len;
	o->sent = 0;
	o->tail = delimiter(kind);
	o->head = kind == FERRYI_FRAME_LEN32 ? 4 : 0;
	o->total = len + (o->head ? o->head : 1);
	if (!o->head && len && memchr(data, o->tail, len))
		return -EINVAL;
	if (o->head)
		put_len32(o->first, len);
	room = sizeof o->first - o->head;
	if (len > room)
		len = room;
	if (len)
		memcpy(o->first + o->head, data, len);
	o->n_first = o->head + len;
	if (!o->head && o->n_first < sizeof o->first)
		o->first[o->n_first++] = o->tail;
	return 0;
}

size_t ferryi_frame_piece(const struct ferryi_frame_out *o, const void **out)
{
	if (o->sent < o->n_first) {
		*out = o->first + o->sent;
		return o->n_first - o->sent;
	}
	if (o->sent < o->head + o->len) {
		*out = o->data + (o->sent - o->head);
		return o->head + o->len - o->sent;
	}
	*out = &o->tail;
	return o->total - o->sent;
}

/* --- reading ------------------------------------------------------------- */

static int find_len32(const unsigned char *p, size_t have, size_t max,
		      struct ferryi_frame_in *out)
{
	uint32_t len;

	if (have < 4)
		return 0;
	len = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	      (uint32_t)p[3] << 24;
	if (len > max)
		return -EBADMSG;
	if (have - 4 < len)
		return 0;
	out->at = 4;
	out->len = len;
	out->total = (size_t)len + 4;
	return 1;
}

int ferryi_frame_find(enum ferryi_frame_kind kind, const void *buf, size_t len,
		      size_t max, size_t *scanned, struct ferryi_frame_in *out)
{
	const unsigned char *p = buf, *end;

	if (kind == FERRYI_FRAME_LEN32)
		return find_len32(p, len, max, out);
	if (len == *scanned)
		return len > max ? -EBADMSG : 0;
	end = memchr(p + *scanned, delimiter(kind), len - *scanned);
	if (!end) {
		*scanned = len;
		return len > max ? -EBADMSG : 0;
	}
	out->at = 0;
	out->len = (size_t)(end - p);
	out->total = out->len + 1;
	return out->len > max ? -EBADMSG : 1;
}
