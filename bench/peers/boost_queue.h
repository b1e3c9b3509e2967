/* SPDX-License-Identifier: MIT */
/*
 * Boost's message_queue for C.  What fails returns NULL, or a sentence.
 */
#ifndef BENCH_BOOST_QUEUE_H
#define BENCH_BOOST_QUEUE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *boost_queue_new(const char *name, size_t depth, size_t size,
		      const char **out_why);
void boost_queue_free(void *queue);
const char *boost_queue_send(void *queue, const void *data, size_t len);
const char *boost_queue_receive(void *queue, void *data, size_t size,
				size_t *out_len);

#ifdef __cplusplus
}
#endif

#endif
