/* SPDX-License-Identifier: MIT */
/* Addresses: what they say, and options that add to them. */
#ifndef FERRY_TOOLS_ADDRESS_H
#define FERRY_TOOLS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <ferry.h>

#define ADDRESS_SIZE 4096

/* ANY of fault+ANY; else the address itself. */
const char *address_behind(const char *address);

/* Its row in the table of transports, that of ANY for fault+ANY; NULL: there is
 * no such scheme. */
const struct ferry_transport_info *address_transport(const char *address);

/* Does it carry bytes, unless a framing is added?  `t` is its row, or NULL. */
bool address_is_stream(const struct ferry_transport_info *t,
		       const char *address);

/* Is it one queue or log for everybody, so that what is sent to it comes back to
 * who receives there, and its end is not one sender's to declare? */
bool address_is_shared(const struct ferry_transport_info *t);

/* Has it the key, with this value (NULL: any)? */
bool address_has(const char *address, const char *key, const char *value);

/* Append a key to an address in a buffer. */
void address_add(char *address, size_t size, const char *key,
		 const char *value);

/* The same with a key more; the address itself when `value` is NULL. */
const char *address_with(char buf[ADDRESS_SIZE], const char *address,
			 const char *key, const char *value);

/* Where the address carries bytes the framing, a value of that key, is added; without one
 * the process ends with an error. */
const char *address_framed(char buf[ADDRESS_SIZE], const char *address,
			   const char *framing);

/* The process called `name`, in the realm of a process: address. */
const char *address_beside(char buf[ADDRESS_SIZE], const char *address,
			   const char *name);

#endif
