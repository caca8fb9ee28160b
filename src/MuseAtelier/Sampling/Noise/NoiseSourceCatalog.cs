using MuseAtelier.Recipe;

namespace MuseAtelier.Sampling;

/// <summary>The noise sources that requests can name. The one list of them: validation and the command line read it.</summary>
internal sealed class NoiseSourceCatalog
{
    private readonly IReadOnlyList<NoiseSourceRegistration> _sources;

    private NoiseSourceCatalog(IReadOnlyList<NoiseSourceRegistration> sources)
    {
        _sources = sources;
        Names = [.. sources.Select(source => source.Name)];
    }

    /// <summary>The noise sources of this library; the first one is the default.</summary>
    public static NoiseSourceCatalog BuiltIn { get; } = new(
    [
        // DPMSolverSDEScheduler takes its noise from a tree; DPMSolverMultistepScheduler draws it from the generator.
        new NoiseSourceRegistration(
            NoiseSource.Diffusers,
            seed => OfOne(new TorchCpuNoise(seed), new BrownianNoise(seed, TorchCpuNormals.Instance) { ServesMultistep = false })),
        // modules/sd_samplers_common.py replaces torchsde's generator by the program's own.
        new NoiseSourceRegistration(
            NoiseSource.A1111, seed => OfOne(new PhiloxNoise(seed), new BrownianNoise(seed, PhiloxNormals.Instance))),
        // The samplers without "_gpu" in their names have their tree on the CPU.
        new NoiseSourceRegistration(NoiseSource.Comfy, seed => OfComfy(seed, TorchCpuNormals.Instance)),
        new NoiseSourceRegistration(
            NoiseSource.A1111Cpu, seed => OfOne(new TorchCpuNoise(seed), new BrownianNoise(seed, TorchCpuNormals.Instance))),
        new NoiseSourceRegistration(NoiseSource.ComfyGpu, seed => OfComfy(seed, PhiloxNormals.Instance)),
    ]);

    /// <summary>The names of all noise sources, those of this library first.</summary>
    public IReadOnlyList<NoiseSource> Names { get; }

    /// <summary>Whether a noise source has the name.</summary>
    public bool Contains(NoiseSource name) => Names.Contains(name);

    /// <summary>This library's noise sources and others.</summary>
    internal static NoiseSourceCatalog With(IReadOnlyList<NoiseSourceRegistration> others) =>
        others.Count == 0 ? BuiltIn : new NoiseSourceCatalog([.. BuiltIn._sources, .. others]);

    /// <summary>Makes the noise of one picture, whose source is in the catalogue.</summary>
    internal PictureNoise Create(PictureRequest request)
    {
        PictureNoise noise = Create(request.NoiseSource, request.Seed);
        if (!(request.VariationStrength > 0)) return noise;
        INoiseGenerator variation = Create(request.NoiseSource, request.VariationSeed).Start;
        int height = request.Height / LatentGeometry.VaeScaleFactor, width = request.Width / LatentGeometry.VaeScaleFactor;
        return noise with { Start = new VariedNoise(noise.Start, variation, request.VariationStrength, height, width) };
    }

    /// <summary>Makes the noise of a seed from a source whose name is in the catalogue.</summary>
    internal PictureNoise Create(NoiseSource name, ulong seed) =>
        _sources.FirstOrDefault(source => source.Name == name)?.Create(seed)
            ?? throw new InvalidOperationException($"There is no noise source {name}, or its factory returned null.");

    private static PictureNoise OfOne(INoiseGenerator generator, BrownianNoise brownian) =>
        new(generator, generator) { Brownian = brownian };

    private static PictureNoise OfComfy(ulong seed, ISeededNoiseGenerator normals) =>
        new(new TorchCpuNoise(seed), new PhiloxNoise(seed)) { Brownian = new BrownianNoise(seed, normals) };
}
