package run

import (
	"flag"
	"maps"

	"github.com/cniperf/cniperf/fixtures/images"
	"github.com/cniperf/cniperf/fixtures/lab"
)

// Flags registers the suite's own flags. Those of the framework, such as -labels and
// -feature, come from it.
func (o *Options) Flags(f *flag.FlagSet) {
	f.StringVar(&o.Profile, "profile", "", "how much to measure: smoke, quick, nightly, published; without it quick, or that of the run to resume")
	f.StringVar(&o.Lab, "lab", "", "lab file; without it the embedded lab")
	f.StringVar(&o.Catalogue, "catalogue", "", "file with benchmarks and comparisons of your own, measured after the profile's")
	f.StringVar(&o.Thresholds, "thresholds", "", "thresholds file; without it the embedded one")
	f.StringVar(&o.RunDir, "run-dir", "", "folder of this run; without it runs/TIME-PROFILE below the working directory")
	f.StringVar(&o.Resume, "resume", "", "run to resume: its folder, or latest below runs")
	f.Uint64Var(&o.Seed, "seed", 0, "seed of the random order; 0 draws one")
	f.BoolVar(&o.Gate, "gate", true, "let the gates decide the exit code; with =false it is 0 unless the run itself broke")
	f.Func("images-from", "registry or source: only pull, or only build, what images are missing; without it pull where registries answer, else build",
		func(from string) error {
			o.Registry.From = images.From(from)
			return o.Registry.Check()
		})
	f.Func("registry-mirror", "REGISTRY=MIRROR, such as quay.io=registry.example/quay; may be given more than once", func(text string) error {
		from, to, err := images.ParseMirror(text)
		if err != nil {
			return err
		}
		if o.Registry.Mirrors == nil {
			o.Registry.Mirrors = map[string]string{}
		}
		o.Registry.Mirrors[from] = to
		return nil
	})
	f.Func("registry-plain-http", "HOST:PORT of a registry that has no TLS; may be given more than once", func(host string) error {
		o.Registry.PlainHTTP = append(o.Registry.PlainHTTP, host)
		return o.Registry.Check()
	})
}

// registry is how images are come by: by the lab file, and before it by the flags.
func (o Options) registry(spec *lab.Spec) images.Registry {
	r := o.Registry
	mirrors := maps.Clone(spec.RegistryMirrors)
	if mirrors == nil {
		mirrors = map[string]string{}
	}
	maps.Copy(mirrors, r.Mirrors)
	r.Mirrors = mirrors
	return r
}
