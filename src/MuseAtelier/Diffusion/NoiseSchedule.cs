namespace MuseAtelier;

/// <summary>The choice of a picture's timesteps from the 1000 that the model was trained on.</summary>
public sealed record NoiseSchedule
{
    /// <summary>The spacing of the timesteps.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Leading;

    /// <summary>
    /// Whether sigmas follow Karras et al. (2022), equation 5, with rho 7, between the spacing's largest and smallest sigma.
    /// </summary>
    public bool Karras { get; init; }
}

/// <summary>The spacing of timesteps, with the names of diffusers.</summary>
public enum TimestepSpacing
{
    /// <summary>Every n-th timestep from 1 on: SDXL's own scheduler configuration.</summary>
    Leading,

    /// <summary>Every n-th timestep back from 1000.</summary>
    Trailing,

    /// <summary>Evenly from 0 to 999, with fractions: AUTOMATIC1111's choice for this sampler.</summary>
    Linspace,
}
