package generic

// The original is for tests only, and links the fake client of Kubernetes.
