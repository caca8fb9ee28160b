namespace MuseAtelier.Checking;

/// <summary>One case of a file of reference values of samplers.</summary>
/// <param name="Name">Its name: that of its tensors, without the last part where it has several.</param>
internal abstract record RecordedCase(string Name)
{
    /// <summary>The largest relative error of a noise level, a timestep or the initial scale.</summary>
    public const double AllowedOfSchedules = 1e-6;

    /// <summary>The largest relative error of latents. Both sides round to fp32 in every step.</summary>
    public const double AllowedOfLatents = 1e-5;

    /// <summary>Computes the case and compares it.</summary>
    /// <param name="values">The file; borrowed.</param>
    /// <exception cref="SamplerValuesException">A tensor is not of the expected form.</exception>
    public abstract SamplerCase Run(SamplerValues values);

    /// <summary>A case that fails because it cannot be computed.</summary>
    /// <param name="reason">The reason, in words.</param>
    protected SamplerCase Refuse(string reason) => new(Name, double.NaN, AllowedOfLatents) { Remark = reason };

    /// <summary>The comparison of noise levels or timesteps.</summary>
    /// <param name="what">What they are, in words.</param>
    /// <param name="ours">This library's.</param>
    /// <param name="reference">The file's.</param>
    /// <returns>The failed case; null if they agree.</returns>
    protected SamplerCase? CompareLevels(string what, ReadOnlySpan<float> ours, ReadOnlySpan<float> reference)
    {
        SamplerCase result = LevelCase(what, ours, reference);
        return result.Passed ? null : result;
    }

    /// <summary>The case of a comparison of noise levels or timesteps.</summary>
    protected SamplerCase LevelCase(string what, ReadOnlySpan<float> ours, ReadOnlySpan<float> reference)
    {
        if (ours.Length != reference.Length)
        {
            string remark = $"{ours.Length} {what} instead of {reference.Length}";
            return new SamplerCase(Name, double.NaN, AllowedOfSchedules) { Remark = remark };
        }

        double most = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            double difference = Math.Abs((double)ours[i] - reference[i]);
            most = Math.Max(most, difference == 0 ? 0 : difference / Math.Abs(reference[i]));
        }

        return new SamplerCase(Name, most, AllowedOfSchedules) { Remark = most <= AllowedOfSchedules ? null : what };
    }

    /// <summary>
    /// The error of latents: the larger one of ||ours - reference|| / ||reference|| and of the same ratio of largest magnitudes, which
    /// shows a single wrong value. NaN if ours are not finite.
    /// </summary>
    protected static double ErrorOf(ReadOnlySpan<float> ours, ReadOnlySpan<float> reference)
    {
        double difference = 0, size = 0;
        for (int i = 0; i < ours.Length; i++)
        {
            difference = Math.Max(difference, Math.Abs((double)ours[i] - reference[i]));
            size = Math.Max(size, Math.Abs(reference[i]));
        }

        return difference == 0 ? 0 : Math.Max(Deviation.Of(ours, reference).Relative, difference / size);
    }

    /// <summary>The case of a comparison of latents.</summary>
    /// <param name="errors">The error of each step.</param>
    /// <param name="isComplete">Whether the file had the noise that the sampler asked for.</param>
    protected SamplerCase LatentCase(IReadOnlyList<double> errors, bool isComplete)
    {
        if (!isComplete) return Refuse("the sampler draws more noise than the file has");
        // Max ignores no NaN.
        double most = errors.Max(error => double.IsNaN(error) ? double.PositiveInfinity : error);
        return new SamplerCase(Name, most, AllowedOfLatents);
    }
}
