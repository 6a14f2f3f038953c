package main

// config is written from the field table of the reference material, section 1.1: key and JSON type.
type config struct {
	Version                   string              `json:"version"`
	AccessKey                 string              `json:"access_key"`
	AccessSecret              string              `json:"access_secret"`
	RegionID                  string              `json:"region_id"`
	CredentialPath            string              `json:"credential_path"`
	ServiceCIDR               string              `json:"service_cidr"`
	VSwitches                 map[string][]string `json:"vswitches"`
	ENITags                   map[string]string   `json:"eni_tags"`
	MaxPoolSize               int                 `json:"max_pool_size"`
	MinPoolSize               int                 `json:"min_pool_size"`
	IPWarmUpSize              *int                `json:"ip_warm_up_size"`
	IdleIPReclaimAfter        *string             `json:"idle_ip_reclaim_after"`
	IdleIPReclaimInterval     *string             `json:"idle_ip_reclaim_interval"`
	IdleIPReclaimBatchSize    int                 `json:"idle_ip_reclaim_batch_size"`
	IdleIPReclaimJitterFactor *string             `json:"idle_ip_reclaim_jitter_factor"`
	MinENI                    int                 `json:"min_eni"`
	MaxENI                    int                 `json:"max_eni"`
	Prefix                    string              `json:"prefix"`
	SecurityGroup             string              `json:"security_group"`
	SecurityGroups            []string            `json:"security_groups"`
	ENICapRatio               float64             `json:"eni_cap_ratio"`
	ENICapShift               int                 `json:"eni_cap_shift"`
	VSwitchSelectionPolicy    string              `json:"vswitch_selection_policy"`
	ENISelectionPolicy        string              `json:"eni_selection_policy"`
	EnableENITrunking         bool                `json:"enable_eni_trunking"`
	EnableERDMA               bool                `json:"enable_erdma"`
	CustomStatefulWorkload    []string            `json:"custom_stateful_workload_kinds"`
	IPStack                   string              `json:"ip_stack"`
	IPAMType                  string              `json:"ipam_type"`
	DisableDevicePlugin       bool                `json:"disable_device_plugin"`
	BackoffOverride           map[string]backoff  `json:"backoff_override"`
	ExtraRoutes               []route             `json:"extra_routes"`
	ENITagFilter              map[string]string   `json:"eni_tag_filter"`
	ENITagBlockList           []tag               `json:"eni_tag_block_list"`
	KubeClientQPS             float32             `json:"kube_client_qps"`
	KubeClientBurst           int                 `json:"kube_client_burst"`
	ResourceGroupID           string              `json:"resource_group_id"`
	RateLimit                 map[string]int      `json:"rate_limit"`
	EnablePatchPodIPs         *bool               `json:"enable_patch_pod_ips"`
	IPPoolSyncPeriod          string              `json:"ip_pool_sync_period"`
	EnableIPPrefix            bool                `json:"enable_ip_prefix"`
	IPv4PrefixCount           int                 `json:"ipv4_prefix_count"`
	IPv6PrefixCount           int                 `json:"ipv6_prefix_count"`
}

type backoff struct {
	InitialDelay int64
	Duration     int64
	Factor       float64
	Jitter       float64
	Steps        int
	Cap          int64
}

type route struct {
	Dst string `json:"dst"`
}

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}
