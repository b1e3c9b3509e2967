/* SPDX-License-Identifier: MIT */
/*
 * Names of sockets: UNIX ones, and IPv4 and IPv6 addresses with a port.
 *
 * All but ferryi_name_lookup() only convert; that one asks the machine's name
 * service, and so may take as long as that takes.
 */
#ifndef FERRYI_SYS_NAMES_H
#define FERRYI_SYS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* A struct sockaddr of any family. */
struct ferryi_name {
	unsigned size;
	_Alignas(8) char bytes[128];
};

#define FERRYI_NAME_TEXT 128 /* bytes that the text of any name takes */

/* "@NAME" or a path.  -ENAMETOOLONG. */
int ferryi_name_of_path(struct ferryi_name *out, const char *path);

/* "127.0.0.1", "::1", "fe80::1%eth0".  -EINVAL: a name, or nothing; -ENODEV: there
 * is no such interface. */
int ferryi_name_of_host(struct ferryi_name *out, const char *host,
			unsigned port);

/* Every address of this machine: both kinds, or IPv4. */
void ferryi_name_of_all(struct ferryi_name *out, bool both, unsigned port);

/*
 * The addresses that `host` stands for, the best first, at most `max`; how many.
 * -ENOENT, -EAGAIN: there is none, or it cannot be known now; -ENOMEM.
 */
int ferryi_name_lookup(struct ferryi_name *out, unsigned max, const char *host,
		       unsigned port);

/*
 * "@NAME", a path, "1.2.3.4:5", "[::1]:5".  An IPv4 address within an IPv6 one is
 * written as IPv4.  -EINVAL: it is none, or has a zero byte in it.
 */
int ferryi_name_format(const struct ferryi_name *n, char out[FERRYI_NAME_TEXT]);

int ferryi_name_family(const struct ferryi_name *n); /* AF_UNIX, AF_INET ... */
bool ferryi_name_is_ip(const struct ferryi_name *n);
bool ferryi_name_is_v6(const struct ferryi_name *n);
bool ferryi_name_lacks_interface(const struct ferryi_name *n); /* fe80::1 */
unsigned ferryi_name_port(const struct ferryi_name *n);
bool ferryi_name_same(const struct ferryi_name *a, const struct ferryi_name *b);

/* Make an IPv4 address one that a socket for both kinds takes. */
void ferryi_name_for_both(struct ferryi_name *n);

#endif
