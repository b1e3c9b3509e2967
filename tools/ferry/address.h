/* SPDX-License-Identifier: MIT */
/* Addresses that options add to. */
#ifndef FERRY_TOOLS_ADDRESS_H
#define FERRY_TOOLS_ADDRESS_H

#define ADDRESS_SIZE 4096

/* The same with a key more; the address itself when `value` is NULL. */
const char *address_with(char buf[ADDRESS_SIZE], const char *address,
			 const char *key, const char *value);

/* The process called `name`, in the realm of a process: address. */
const char *address_beside(char buf[ADDRESS_SIZE], const char *address,
			   const char *name);

#endif
