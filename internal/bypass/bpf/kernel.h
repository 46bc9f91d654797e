/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bypass.c needs of the kernel, and no more. Written out instead of
 * included, so that the object doesn't depend on the headers of the machine
 * that compiles it: the same clang gives the same bytes everywhere, and
 * hack/verify-bpf.sh can compare them.
 */
#ifndef CNIPERF_KERNEL_H
#define CNIPERF_KERNEL_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __always_inline inline __attribute__((always_inline))

#define AF_INET 2
#define AF_INET6 10
#define SEND_SHUTDOWN 2

enum { BPF_MAP_TYPE_HASH = 1, BPF_MAP_TYPE_PERCPU_ARRAY = 6, BPF_MAP_TYPE_LRU_HASH = 9, BPF_MAP_TYPE_SOCKHASH = 18, BPF_MAP_TYPE_SK_STORAGE = 24 };
enum { BPF_ANY, BPF_NOEXIST };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_INGRESS = 1, BPF_SK_STORAGE_GET_F_CREATE = 1 };
enum sk_action { SK_DROP, SK_PASS };
enum { BPF_SOCK_OPS_RWND_INIT = 2, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB = 4, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB = 5, BPF_SOCK_OPS_STATE_CB = 10 };
enum { BPF_SOCK_OPS_STATE_CB_FLAG = 4, TCP_CLOSE = 7 };

/* Contexts: their layout is the kernel's stable interface (linux/bpf.h), as far as it is used. */
struct bpf_sock;

struct bpf_sock_ops {
	u32 op;
	u32 args[4];
	u32 family;
	u32 remote_ip4; /* addresses: network order */
	u32 local_ip4;
	u32 remote_ip6[4];
	u32 local_ip6[4];
	u32 remote_port; /* network order */
	u32 local_port;  /* host order */
	u32 is_fullsock;
	u32 snd_cwnd;
	u32 srtt_us;
	u32 bpf_sock_ops_cb_flags;
	u32 state;
	u32 rtt_min;
	u32 snd_ssthresh;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 snd_una;
	u32 mss_cache;
	u32 ecn_flags;
	u32 rate_delivered;
	u32 rate_interval_us;
	u32 packets_out;
	u32 retrans_out;
	u32 total_retrans;
	u32 segs_in;
	u32 data_segs_in;
	u32 segs_out;
	u32 data_segs_out;
	u32 lost_out;
	u32 sacked_out;
	u32 sk_txhash;
	u64 bytes_received;
	u64 bytes_acked;
	struct bpf_sock *sk;
};

struct sk_msg_md {
	void *data;
	void *data_end;
	u32 family;
	u32 remote_ip4;
	u32 local_ip4;
	u32 remote_ip6[4];
	u32 local_ip6[4];
	u32 remote_port;
	u32 local_port;
	u32 size;
	struct bpf_sock *sk;
};

/* Insides of the kernel: only names matter, the loader fills in the offsets (CO-RE). */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct list_head {
	struct list_head *next;
};
struct sk_psock {
	struct list_head ingress_msg;
};
struct sock {
	u8 sk_shutdown;
	void *sk_user_data;
};
struct inet_sock {
	struct sock sk;
};
struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const void *icsk_ulp_ops;
};
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	_Bool is_mptcp;
};
#pragma clang attribute pop

#define field_exists(field) __builtin_preserve_field_info(field, 2)

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static long (*const bpf_sock_ops_cb_flags_set)(struct bpf_sock_ops *skops, int flags) = (void *)59;
static long (*const bpf_sock_hash_update)(struct bpf_sock_ops *skops, void *map, void *key, u64 flags) = (void *)70;
static long (*const bpf_msg_redirect_hash)(struct sk_msg_md *msg, void *map, void *key, u64 flags) = (void *)71;
static void *(*const bpf_sk_storage_get)(void *map, void *sk, void *value, u64 flags) = (void *)107;
static long (*const bpf_probe_read_kernel)(void *dst, u32 size, const void *unsafe_ptr) = (void *)113;
static struct tcp_sock *(*const bpf_skc_to_tcp_sock)(void *sk) = (void *)137;

#endif
