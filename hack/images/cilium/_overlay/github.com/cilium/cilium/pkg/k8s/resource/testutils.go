package resource

// The original is for tests only, and links three fake clients of Kubernetes.
